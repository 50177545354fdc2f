# perl kernels.pl [WHOSE=]STATUS.json...: the table of docs/kernels.md, from a status of each kernel, the oldest first. WHOSE
# processor it is, where it is not AMD's.
use strict;
use warnings;
use JSON::PP;

my @kernels;
for my $argument (@ARGV) {
  my ($whose, $file) = $argument =~ /^(?:(\w+)=)?(.*)$/;
  open(my $in, '<', $file) or die "$file: $!";
  local $/;
  push @kernels, { whose => $whose, %{decode_json(<$in>)} };
}

my (@names, %cells, %letters, @reasons);
for my $kernel (@kernels) {
  my ($release) = $kernel->{kernel_release} =~ /^(\d+\.\d+)/;
  my $title = $kernel->{title} = join(', ', $release, $kernel->{whose} // ());
  for my $hook (@{$kernel->{hooks}}) {
    my $name = $hook->{name};
    push @names, $name unless exists $cells{$name};
    my $reason = $hook->{reason} // '';
    # A cell: the variant, and a letter for why it is not all that it should be.
    # One that is attached and does not fire works as little as one that is not.
    my $works = $hook->{coverage} ne 'UNOBSERVABLE';
    my $cell = $works ? $hook->{variant} // '' : '';
    if ($reason ne '' && (!$works || $hook->{coverage} eq 'DEGRADED')) {
      $reason =~ s/\s+/ /g;
      unless (exists $letters{$reason}) {
        $letters{$reason} = chr(ord('a') + keys %letters);
        push @reasons, $reason;
      }
      $cell = ($cell eq '' ? '-' : $cell) . " $letters{$reason}";
    }
    $cells{$name}{$title} = $cell;
  }
}

print <<'END';
# Kernels

What each hook is attached by, on Debian's kernels with AMD's SVM, vhost and VFIO, and with Intel's VMX. Written by `tests/lab/kernels`, which
boots each of them (`tests/lab`): not by hand.

END
my @titles = map { $_->{title} } @kernels;
my @width = (0) x (@titles + 1);
my @rows = ([ 'hook', @titles ], map { my $name = $_; [ "`$name`", map { $cells{$name}{$_} // '' } @titles ] } @names);
for my $row (@rows) {
  for my $i (0 .. $#$row) { $width[$i] = length $row->[$i] if length $row->[$i] > $width[$i]; }
}
my $first = 1;
for my $row (@rows) {
  print '| ', join(' | ', map { sprintf "%-*s", $width[$_], $row->[$_] } 0 .. $#$row), " |\n";
  print '| ', join(' | ', map { '-' x $_ } @width), " |\n" if $first;
  $first = 0;
}
print "\n`-`: not attached, or silent. A letter says what is missing, and why:\n\n";
print "- $letters{$_}: $_\n" for @reasons;
print <<'END';

Linux 5.10 is refused at the start: its BPF has no atomic operation that returns a value, which came with Linux 5.12, and
it has no BTF of modules. Linux 6.1 is the oldest on which the tests run.
END
