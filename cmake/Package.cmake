# What is installed where, and the Debian package (cpack -G DEB).
include(GNUInstallDirs)

set(unit_dir lib/systemd/system)
install(TARGETS kvmsentryd DESTINATION sbin)
install(TARGETS kvmsentry DESTINATION bin)
install(DIRECTORY specs/ DESTINATION share/kvmsentry/specs FILES_MATCHING PATTERN "*.textproto")
install(FILES deploy/systemd/kvmsentry.service deploy/systemd/kvmsentry-pins.service
        DESTINATION ${unit_dir})
# Examples: nothing of them is active where it is installed.
install(FILES deploy/systemd/kvmsentry.service.d/tcp.conf deploy/systemd/kvmsentry.service.d/metrics.conf
        DESTINATION share/doc/kvmsentry/examples/kvmsentry.service.d)
install(PROGRAMS deploy/systemd/prepare-pins DESTINATION lib/kvmsentry)
install(FILES deploy/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME kvmsentry.conf)
install(FILES deploy/systemd/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME kvmsentry.conf)
install(FILES deploy/completion/kvmsentry.bash DESTINATION share/bash-completion/completions
        RENAME kvmsentry)
install(FILES deploy/completion/kvmsentry.zsh DESTINATION share/zsh/vendor-completions
        RENAME _kvmsentry)
install(FILES deploy/completion/kvmsentry.fish DESTINATION share/fish/vendor_completions.d)
install(FILES README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE DESTINATION share/doc/kvmsentry)
install(FILES docs/attacks.md docs/operating.md docs/clients.md docs/given.md docs/hooks.md docs/kernels.md
        DESTINATION share/doc/kvmsentry/docs)
install(FILES specs/README.md DESTINATION share/doc/kvmsentry/specs)
install(DIRECTORY docs/clients DESTINATION share/doc/kvmsentry/docs)
# What those link to, as in the tree.
install(DIRECTORY deploy/docker deploy/grafana deploy/kubernetes deploy/prometheus
        DESTINATION share/doc/kvmsentry/deploy)
install(DIRECTORY proto/kvmsentry DESTINATION share/doc/kvmsentry/proto)

# Written by the programs themselves, so that they name every option.
set(made ${CMAKE_BINARY_DIR}/package)
find_program(HELP2MAN help2man)
find_program(GZIP gzip)
if(HELP2MAN AND GZIP)
  function(man_page target section)
    set(page ${made}/${target}.${section})
    # What no --help says.
    set(more ${CMAKE_SOURCE_DIR}/deploy/man/${target}.h2m)
    add_custom_command(
      OUTPUT ${page}.gz
      COMMAND ${HELP2MAN} --no-info --section ${section} --include ${more} --output ${page}
              $<TARGET_FILE:${target}> ${ARGN}
      COMMAND ${GZIP} -9nf ${page}
      DEPENDS ${target} ${more}
      VERBATIM)
    set_property(GLOBAL APPEND PROPERTY man_pages ${page}.gz)
    install(FILES ${page}.gz DESTINATION share/man/man${section})
  endfunction()
  file(MAKE_DIRECTORY ${made})
  man_page(kvmsentryd 8)
  man_page(kvmsentry 1 --help-option=--help-all)
endif()
add_custom_command(
  OUTPUT ${made}/kvmsentryd.toml
  COMMAND kvmsentryd --print-config > ${made}/kvmsentryd.toml
  DEPENDS kvmsentryd
  VERBATIM)
install(FILES ${made}/kvmsentryd.toml DESTINATION /etc/kvmsentry)
install(FILES deploy/specs.d/README DESTINATION /etc/kvmsentry/specs.d)
get_property(man_pages GLOBAL PROPERTY man_pages)
add_custom_target(package_files ALL DEPENDS ${made}/kvmsentryd.toml ${man_pages})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_NAME kvmsentry)
set(CPACK_PACKAGE_CONTACT "The kvmsentry maintainers <maintainers@kvmsentry.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "eBPF sensor of virtual machines on KVM hosts")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd, mount")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${made}/conffiles
     "/etc/kvmsentry/kvmsentryd.toml\n/etc/kvmsentry/specs.d/README\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
    ${CMAKE_SOURCE_DIR}/deploy/debian/postrm ${made}/conffiles)
include(CPack)
