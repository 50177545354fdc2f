// Writes the documents that are made from the code: write_docs ROOT, the project's folder.
#include <fstream>
#include <iostream>
#include <string>

#include "tests/docs/pages.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "write_docs: give the project's folder: write_docs .\n";
    return 2;
  }
  const std::string root = argv[1];
  const auto pages = kvmsentry::Pages(root);
  if (!pages.ok()) {
    std::cerr << "write_docs: " << pages.status() << "\n";
    return 1;
  }
  for (const auto& [path, text] : *pages) {
    std::ofstream file(root + "/" + path);
    file << text;
    file.close();
    if (file) continue;
    std::cerr << "write_docs: cannot write " << path << "\n";
    return 1;
  }
  return 0;
}
