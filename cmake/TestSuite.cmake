# test_suite(NAME LABEL label [LOCK resource] [SANITIZED filter] [GUESTLESS filter] SOURCES ... LIBS ...
# [DEFINITIONS ...]): one GoogleTest binary, one CTest entry a test case. Tests with the same LOCK never run at
# the same time. Those that match the GoogleTest filter SANITIZED have the label LABEL-sanitized: beside the
# unit tests, they are run with sanitizers. Those that match GUESTLESS have the label LABEL-guestless: they
# start no guest, so they run on a host without /dev/kvm, too.
#
# With sanitizers a unit suite is one CTest entry: each start of a process costs them half a second.
#
# SEPARATE: its files are compiled one by one, for they use the same names for their own things.
# ONE_THREAD: it has no second one, so there is no race that the thread sanitizer could find.
find_package(GTest REQUIRED)
include(GoogleTest)

# Builds every suite with the label `unit`.
add_custom_target(unit_tests)

function(test_suite name)
  cmake_parse_arguments(arg "SEPARATE;ONE_THREAD" "LABEL;LOCK;SANITIZED;GUESTLESS" "SOURCES;LIBS;DEFINITIONS" ${ARGN})
  if(arg_ONE_THREAD AND KVMSENTRY_SANITIZE MATCHES thread)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE kvmsentry_options test_main ${arg_LIBS})
  target_compile_definitions(${name} PRIVATE ${arg_DEFINITIONS})
  if(arg_SEPARATE)
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  if(arg_LABEL STREQUAL unit)
    add_dependencies(unit_tests ${name})
    set_property(GLOBAL APPEND PROPERTY KVMSENTRY_UNIT_SUITES $<TARGET_FILE:${name}>)
  endif()
  if(KVMSENTRY_SANITIZE AND arg_LABEL STREQUAL unit)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 1200)
    return()
  endif()
  set(properties TIMEOUT 240)
  if(arg_LOCK)
    list(APPEND properties RESOURCE_LOCK ${arg_LOCK})
  endif()
  set(others)
  foreach(kind SANITIZED GUESTLESS)
    if(arg_${kind})
      string(TOLOWER ${kind} suffix)
      gtest_discover_tests(
        ${name}
        TEST_FILTER ${arg_${kind}}
        TEST_LIST ${name}_${kind}_TESTS
        PROPERTIES ${properties} LABELS ${arg_LABEL}-${suffix}
        DISCOVERY_TIMEOUT 60)
      list(APPEND others ${arg_${kind}})
    endif()
  endforeach()
  if(others)
    list(JOIN others : others)
    set(others TEST_FILTER -${others})
  endif()
  gtest_discover_tests(${name} ${others} PROPERTIES ${properties} LABELS ${arg_LABEL}
                       DISCOVERY_TIMEOUT 60)
endfunction()
