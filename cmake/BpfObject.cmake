# bpf_object(NAME FILE...): the FILE.bpf.c of this folder, linked -> NAME.skel.h, in the interface library bpf_NAME.
# A skeleton's header is included in exactly one .cc.
function(bpf_object name)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  set(parts)
  foreach(file ${ARGN})
    set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file}.bpf.c)
    set(part ${CMAKE_CURRENT_BINARY_DIR}/${file}.raw.o)
    add_custom_command(
      OUTPUT ${part}
      COMMAND
        ${BPF_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -D__TARGET_ARCH_x86
        -I${CMAKE_SOURCE_DIR} -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -MD -MF ${part}.d
        -MT ${part} -c ${source} -o ${part}
      DEPENDS ${source}
      DEPFILE ${part}.d
      COMMENT "BPF ${file}"
      VERBATIM)
    list(APPEND parts ${part})
  endforeach()
  add_custom_command(
    OUTPUT ${skeleton} ${object}
    COMMAND ${BPFTOOL} gen object ${object} ${parts}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${parts}
    COMMENT "BPF object ${name}"
    VERBATIM)
  add_custom_target(bpf_${name}_skeleton DEPENDS ${skeleton})
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skeleton)
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(bpf_${name} INTERFACE PkgConfig::LIBBPF)
endfunction()
