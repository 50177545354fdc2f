# Warnings and sanitizers for our own code, as one interface target that every target of ours links.
option(KVMSENTRY_BENCH "Build the benchmarks" OFF)
set(KVMSENTRY_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

add_library(kvmsentry_options INTERFACE)
target_include_directories(kvmsentry_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(
  kvmsentry_options
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wnon-virtual-dtor
            -Wold-style-cast
            -Wimplicit-fallthrough
            -Werror)

# Everything in the process is instrumented, generated code included, or the sanitizers see half of it.
if(KVMSENTRY_SANITIZE)
  add_compile_options(-fsanitize=${KVMSENTRY_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KVMSENTRY_SANITIZE})
endif()
# What tests themselves run is short, what the compiler does for them is not: half of it was optimisation.
set(KVMSENTRY_TEST_OPTIONS -O0 -g1)
# Built in a fifth less time. Not for threads: tsan_defaults.cc names inlined functions with their
# namespaces, which only full debug information knows.
if(KVMSENTRY_SANITIZE MATCHES address)
  add_compile_options(-O1 -gline-tables-only)
endif()
if(KVMSENTRY_SANITIZE MATCHES thread)
  # As an object of its own: it stands in each library, and a program takes one.
  add_library(tsan_defaults OBJECT ${CMAKE_SOURCE_DIR}/cmake/tsan_defaults.cc)
  target_sources(kvmsentry_options INTERFACE $<TARGET_OBJECTS:tsan_defaults>)
endif()
