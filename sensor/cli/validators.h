// What the values of the client's options may be. An error names the value, and what may be.
#pragma once

#include <string>

namespace kvmsentry {

std::string CheckPosition(const std::string& text);
std::string CheckTime(const std::string& text);
std::string CheckGlob(const std::string& text);
std::string CheckSilenceTime(const std::string& text);  // "2h", "90m", "3d"
std::string CheckNotEmpty(const std::string& text);

}  // namespace kvmsentry
