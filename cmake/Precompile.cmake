# Headers that nearly every file reads, compiled once: reading them is most of what a file's compilation takes.
#
# precompile(FOLDER HEADER-SET): every target below FOLDER that has a source of ours uses the set. One set is one
# object library; the sets are listed below.
set(core_headers <algorithm> <array> <cstdint> <functional> <map> <memory> <optional> <span> <string> <utility>
    <variant> <vector> <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/strings/str_format.h>
    <absl/time/time.h>)
set(api_headers ${core_headers} <grpcpp/grpcpp.h> <google/protobuf/message.h>)
set(test_headers ${core_headers} <gmock/gmock.h> <gtest/gtest.h>)
set(api_test_headers ${api_headers} <gmock/gmock.h> <gtest/gtest.h>)

function(header_set name)
  set(source ${CMAKE_BINARY_DIR}/precompiled_${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Carries the precompiled headers.\n")
  add_library(precompiled_${name} OBJECT ${source})
  target_link_libraries(precompiled_${name} PRIVATE kvmsentry_options ${ARGN})
  target_precompile_headers(precompiled_${name} PRIVATE ${${name}_headers})
  # Clang notes in its file when each header was written, and ccache then finds the same file nowhere.
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(precompiled_${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  if(name MATCHES test)
    target_compile_options(precompiled_${name} PRIVATE ${KVMSENTRY_TEST_OPTIONS})
  endif()
endfunction()

header_set(core absl::statusor absl::str_format absl::time)
header_set(api absl::statusor absl::str_format absl::time PkgConfig::GRPCPP protobuf::libprotobuf)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  header_set(test absl::statusor absl::str_format absl::time GTest::gmock)
  header_set(api_test absl::statusor absl::str_format absl::time PkgConfig::GRPCPP protobuf::libprotobuf GTest::gmock)
endif()

function(precompile folder set)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(reused ${target} PRECOMPILE_HEADERS_REUSE_FROM)
    if(type MATCHES "STATIC_LIBRARY|EXECUTABLE" AND NOT reused)
      target_precompile_headers(${target} REUSE_FROM precompiled_${set})
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(below IN LISTS folders)
    precompile(${below} ${set})
  endforeach()
endfunction()
