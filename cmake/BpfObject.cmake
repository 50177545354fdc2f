# bpf_object(NAME): bpf/NAME.bpf.c -> NAME.skel.h, in the interface library bpf_NAME.
# A skeleton's header is included in exactly one .cc.
function(bpf_object name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(raw ${CMAKE_CURRENT_BINARY_DIR}/${name}.raw.o)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  add_custom_command(
    OUTPUT ${skeleton} ${object}
    COMMAND
      ${BPF_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -D__TARGET_ARCH_x86
      -I${CMAKE_SOURCE_DIR} -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -MD -MF ${raw}.d
      -MT ${skeleton} -c ${source} -o ${raw}
    COMMAND ${BPFTOOL} gen object ${object} ${raw}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${source}
    DEPFILE ${raw}.d
    COMMENT "BPF ${name}"
    VERBATIM)
  add_custom_target(bpf_${name}_skeleton DEPENDS ${skeleton})
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skeleton)
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(bpf_${name} INTERFACE PkgConfig::LIBBPF)
endfunction()
