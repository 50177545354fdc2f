# test_suite(NAME LABEL label SOURCES ... LIBS ...): one GoogleTest binary, one CTest entry a test case.
find_package(GTest REQUIRED)
include(GoogleTest)

function(test_suite name)
  cmake_parse_arguments(arg "" "LABEL" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE kvmsentry_options GTest::gmock GTest::gtest_main ${arg_LIBS})
  gtest_discover_tests(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 120 DISCOVERY_TIMEOUT 60)
endfunction()
