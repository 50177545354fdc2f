// SPDX-License-Identifier: GPL-2.0
// A live patch of the host, after samples/livepatch of the kernel: /proc/cmdline says that it is
// there. The other function is one that the sensor has a program on; what security modules say of
// such connections is left out while it is patched.
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

struct sock;

static int patched_cmdline_proc_show(struct seq_file* file, void* data) {
  (void)data;
  seq_puts(file, "live patched\n");
  return 0;
}

static int patched_unix_stream_connect(struct sock* sock, struct sock* other, struct sock* newsk) {
  (void)sock, (void)other, (void)newsk;
  return 0;
}

static struct klp_func functions[] = {
    {.old_name = "cmdline_proc_show", .new_func = patched_cmdline_proc_show},
    {.old_name = "security_unix_stream_connect", .new_func = patched_unix_stream_connect},
    {}};
static struct klp_object objects[] = {{.funcs = functions}, {}};
static struct klp_patch patch = {.mod = THIS_MODULE, .objs = objects};

static int __init livepatch_init(void) { return klp_enable_patch(&patch); }
static void __exit livepatch_exit(void) {}

module_init(livepatch_init);
module_exit(livepatch_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
