# How every file of Clowder is compiled, and clowder_layer(): a folder's object library.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu11: DPDK's and liburcu's headers need it
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O3 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(DPDK REQUIRED IMPORTED_TARGET libdpdk>=22.11)
pkg_check_modules(URCU REQUIRED IMPORTED_TARGET liburcu-qsbr)
pkg_check_modules(HWLOC REQUIRED IMPORTED_TARGET hwloc)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)

add_library(clowder_compile INTERFACE)
target_compile_options(clowder_compile INTERFACE -Wall -Wextra -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
target_include_directories(clowder_compile INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/sdk/include)
target_compile_definitions(clowder_compile INTERFACE _GNU_SOURCE $<$<CONFIG:Debug>:CLOWDER_DEBUG>)
# The layers call each other per packet: optimised as one where they become libclowder.so. Everything else, tests above
# all, links the machine code that the objects carry too.
if(CMAKE_BUILD_TYPE STREQUAL Release AND CMAKE_C_COMPILER_ID STREQUAL GNU AND NOT CLOWDER_SANITIZE)
  # gcc 12 splits functions before it knows their bounds: the warning is kept by every other build.
  target_compile_options(clowder_compile INTERFACE -flto=auto -ffat-lto-objects -Wno-maybe-uninitialized)
  target_link_options(clowder_compile INTERFACE
    $<IF:$<BOOL:$<TARGET_PROPERTY:CLOWDER_WHOLE>>,-flto=auto,-fno-lto>)
endif()
if(CLOWDER_FUZZ)
  # Compares are traced for dictionaries that the fuzzer guesses; seeds and scripts know better, at twice the speed.
  target_compile_options(clowder_compile INTERFACE -fno-sanitize-coverage=trace-cmp)
endif()
if(CLOWDER_SANITIZE)
  target_compile_definitions(clowder_compile INTERFACE CLOWDER_DEBUG)
  if(CLOWDER_SANITIZE STREQUAL thread)
    # rte_ring by C11 atomics, which the sanitizer sees; its default is fences, which it does not.
    target_compile_definitions(clowder_compile INTERFACE RTE_USE_C11_MEM_MODEL)
  endif()
  target_compile_options(clowder_compile INTERFACE "-fsanitize=${CLOWDER_SANITIZE}" -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(clowder_compile INTERFACE "-fsanitize=${CLOWDER_SANITIZE}")
endif()

# DPDK's pkg-config file asks for -march=corei7; the last -march wins, and ours comes as an option after it.
if(CLOWDER_NATIVE)
  set(CLOWDER_MARCH -march=native)
else()
  set(CLOWDER_MARCH -march=x86-64-v2)
endif()

# DPDK's headers are system headers, so that our warnings are about our code.
add_library(clowder_dpdk INTERFACE)
target_include_directories(clowder_dpdk SYSTEM INTERFACE ${DPDK_INCLUDE_DIRS})
target_compile_options(clowder_dpdk INTERFACE "SHELL:-include rte_config.h" ${CLOWDER_MARCH})
target_link_libraries(clowder_dpdk INTERFACE ${DPDK_LINK_LIBRARIES})

# clowder_layer(NAME SOURCES ... USES lower layers and libraries ...)
function(clowder_layer name)
  cmake_parse_arguments(L "" "" "SOURCES;USES" ${ARGN})
  add_library(clowder_${name} STATIC ${L_SOURCES})
  target_link_libraries(clowder_${name} PUBLIC clowder_compile ${L_USES})
endfunction()
