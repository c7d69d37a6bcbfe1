# Parsers under libFuzzer: preset fuzz. A target is tests/fuzz/NAME_fuzz.cpp, its seeds are tests/fuzz/corpus/NAME/.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS "-fsanitize=fuzzer")
check_cxx_source_compiles("#include <cstddef>
  extern \"C\" int LLVMFuzzerTestOneInput(const unsigned char*, std::size_t) { return 0; }" ATELIER_HAVE_LIBFUZZER)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT ATELIER_HAVE_LIBFUZZER)
  message(FATAL_ERROR "the compiler has no libFuzzer (-fsanitize=fuzzer does not link). Use clang with its "
                      "compiler-rt: cmake --preset fuzz, or -DATELIER_FUZZ=OFF.")
endif()
set(ATELIER_FUZZ_SECONDS 60 CACHE STRING "Seconds that ctest gives each target")
add_custom_target(fuzz)
set(fuzz_includes include tests src/io src/media src/pipeline)
list(TRANSFORM fuzz_includes PREPEND "${CMAKE_SOURCE_DIR}/")

# add_fuzz_target(NAME SOURCES extra.cpp … LIBRARIES a b …)
function(add_fuzz_target name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name}_fuzz "${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cpp" ${ARG_SOURCES})
  target_link_libraries(${name}_fuzz PRIVATE ${ARG_LIBRARIES} atelier_warnings)
  target_include_directories(${name}_fuzz PRIVATE ${fuzz_includes})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz ${name}_fuzz)
  # What is found beyond the seeds stays in the build tree, and so does an input that fails.
  set(found "${CMAKE_BINARY_DIR}/corpus/${name}")
  file(MAKE_DIRECTORY "${found}")
  math(EXPR timeout "${ATELIER_FUZZ_SECONDS} + 120")
  add_test(NAME fuzz.${name} COMMAND ${name}_fuzz -max_total_time=${ATELIER_FUZZ_SECONDS} -max_len=4096 -timeout=10
           -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1 "-artifact_prefix=${CMAKE_BINARY_DIR}/${name}-"
           "${found}" "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT ${timeout} LABELS fuzz)
endfunction()

enable_testing()
add_fuzz_target(segment LIBRARIES atelier_io)
add_fuzz_target(state LIBRARIES atelier_io)
# The messages alone: the rest of pipeline would bring libtorch's kernels and FFmpeg along.
set(messages src/pipeline/protocol.cpp src/pipeline/encoding_protocol.cpp src/pipeline/decoding_protocol.cpp
             src/pipeline/packet_hash.cpp src/media/packet_chunk.cpp src/media/side_data_entries.cpp)
add_fuzz_target(protocol SOURCES ${messages} LIBRARIES atelier_base atelier_frame Torch2::torch)

add_executable(fuzz_seeds tests/fuzz/make_seeds.cpp tests/fuzz/segment_seeds.cpp tests/fuzz/state_seeds.cpp
               tests/fuzz/protocol_seeds.cpp ${messages})
target_link_libraries(fuzz_seeds PRIVATE atelier_io Torch2::torch atelier_warnings)
target_include_directories(fuzz_seeds PRIVATE ${fuzz_includes})
