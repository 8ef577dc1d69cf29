# What a program links, and how it finds it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(clowder SHARED $<TARGET_OBJECTS:clowder_sdk>)
target_link_libraries(clowder PRIVATE clowder_compile clowder_shard clowder_mem Threads::Threads)
target_link_options(clowder PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/exports.map -Wl,-z,now)
if(CLOWDER_SANITIZE) # whatever links an instrumented library has to bring the sanitizer's runtime
  target_link_options(clowder INTERFACE $<BUILD_INTERFACE:-fsanitize=${CLOWDER_SANITIZE}>)
else()
  target_link_options(clowder PRIVATE -Wl,--no-undefined)
endif()
target_include_directories(clowder INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(clowder PROPERTIES CLOWDER_WHOLE ON VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  LINKER_LANGUAGE CXX LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/exports.map)
add_library(clowder::clowder ALIAS clowder)

# libclowder.a: all layers as one object, in which every symbol but demi_* is made local. Groups are resolved
# first, so that a C++ program's own copy of a template cannot take the place of a local one.
set(layers sdk shard net nic rss mem)
list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_FILE:clowder_\\1>" OUTPUT_VARIABLE archives)
list(TRANSFORM layers REPLACE "(.+)" "clowder_\\1" OUTPUT_VARIABLE targets)
set(archive ${CMAKE_CURRENT_BINARY_DIR}/libclowder.a)
add_custom_command(OUTPUT ${archive}
  COMMAND ${CMAKE_LINKER} -r --force-group-allocation -o clowder.o --whole-archive $<TARGET_FILE:clowder_sdk>
          --no-whole-archive --start-group ${archives} --end-group
  COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=demi_* --remove-section=.gnu.lto_* clowder.o
  COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
  COMMAND ${CMAKE_AR} rcs ${archive} clowder.o
  DEPENDS ${targets} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} VERBATIM
  COMMENT "Making libclowder.a of all layers")
add_custom_target(clowder_static ALL DEPENDS ${archive})

# What libclowder.a needs besides itself.
set(CLOWDER_LIBRARIES ${DPDK_LINK_LIBRARIES} ${URCU_LINK_LIBRARIES} ${HWLOC_LINK_LIBRARIES} ${SODIUM_LINK_LIBRARIES})
set(CLOWDER_LIBRARY_FLAGS "")
foreach(library ${DPDK_LIBRARIES} ${URCU_LIBRARIES} ${HWLOC_LIBRARIES} ${SODIUM_LIBRARIES} stdc++ pthread)
  string(APPEND CLOWDER_LIBRARY_FLAGS " -l${library}")
endforeach()
list(REMOVE_DUPLICATES CLOWDER_LIBRARIES)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/clowder)
configure_package_config_file(clowderConfig.cmake.in clowderConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(clowderConfigVersion.cmake COMPATIBILITY SameMajorVersion)
file(RELATIVE_PATH CLOWDER_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(clowder.pc.in clowder.pc @ONLY)

install(TARGETS clowder EXPORT clowder LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/demi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT clowder NAMESPACE clowder:: FILE clowderTargets.cmake DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/clowderConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/clowderConfigVersion.cmake
  DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/clowder.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_SOURCE_DIR}/config.toml.example DESTINATION ${CMAKE_INSTALL_DOCDIR})
