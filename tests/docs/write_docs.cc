// Writes the pages of docs/ that are made from the code: write_docs DIR.
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/docs/hooks_page.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "write_docs: give the folder of the documents: write_docs docs\n");
    return 2;
  }
  const std::string path = std::string(argv[1]) + "/hooks.md";
  std::ofstream file(path);
  file << kvmsentry::HooksPage();
  file.close();
  if (file) return 0;
  std::fprintf(stderr, "write_docs: cannot write %s\n", path.c_str());
  return 1;
}
