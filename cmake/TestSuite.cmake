# test_suite(NAME LABEL label [LOCK resource] SOURCES ... LIBS ...): one GoogleTest binary, one CTest
# entry a test case. Tests with the same LOCK never run at the same time.
find_package(GTest REQUIRED)
include(GoogleTest)

function(test_suite name)
  cmake_parse_arguments(arg "" "LABEL;LOCK" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE kvmsentry_options GTest::gmock GTest::gtest_main ${arg_LIBS})
  set(properties LABELS ${arg_LABEL} TIMEOUT 120)
  if(arg_LOCK)
    list(APPEND properties RESOURCE_LOCK ${arg_LOCK})
  endif()
  gtest_discover_tests(${name} PROPERTIES ${properties} DISCOVERY_TIMEOUT 60)
endfunction()
