# proto_library(TARGET [GRPC] [IMPORTS folder ...] FILES ...): the messages, and with GRPC the service
# stubs, of .proto files below the current folder. They import from there and from IMPORTS. Generated code is not ours: it is compiled without our warnings.
function(proto_library target)
  cmake_parse_arguments(arg "GRPC" "" "IMPORTS;FILES" ${ARGN})
  set(sources)
  list(TRANSFORM arg_IMPORTS PREPEND -I OUTPUT_VARIABLE imports)
  foreach(file IN LISTS arg_FILES)
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${stem})
    set(outputs ${out}.pb.cc ${out}.pb.h)
    set(grpc_flags)
    list(APPEND sources ${out}.pb.cc)
    if(arg_GRPC)
      list(APPEND outputs ${out}.grpc.pb.cc ${out}.grpc.pb.h)
      list(APPEND sources ${out}.grpc.pb.cc)
      set(grpc_flags --grpc_out=${CMAKE_CURRENT_BINARY_DIR}
                     --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND ${PROTOC} -I. ${imports} --cpp_out=${CMAKE_CURRENT_BINARY_DIR} ${grpc_flags} ${file}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      DEPENDS ${file}
      COMMENT "protoc ${file}"
      VERBATIM)
  endforeach()
  add_library(${target} STATIC ${sources})
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF) # generated files share names
  target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
  if(arg_GRPC)
    target_link_libraries(${target} PUBLIC PkgConfig::GRPCPP)
  endif()
endfunction()
