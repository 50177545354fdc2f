// write_readme DIR: writes the tables of DIR/README.md anew, from the catalogue and DIR's specs.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "sensor/spec/readme.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "write_readme DIR\n";
    return 2;
  }
  const std::string path = std::string(argv[1]) + "/README.md";
  const auto library = kvmsentry::SpecLibrary::Load(argv[1]);
  std::ifstream in(path);
  if (!library.ok() || !in) {
    std::cerr << path << " or the specs beside it can't be read: " << library.status() << "\n";
    return 1;
  }
  const std::string readme{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::ofstream out(path);
  out << kvmsentry::WithTables(readme, *library);
  out.close();
  return out ? 0 : 1;
}
