include(GoogleTest)

# Each tests/ROOM/*_test.cpp goes into one program ROOM_test; every case is a ctest entry with a timeout.
function(add_room_tests name)
  file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cpp")
  list(FILTER tests EXCLUDE REGEX "/mpi_[a-z_]*\\.cpp$")
  if(NOT ATELIER_MEDIA)
    list(FILTER tests EXCLUDE REGEX "_media_test\\.cpp$")
  endif()
  if(NOT tests)
    return()
  endif()
  add_executable(${name}_test ${tests})
  target_link_libraries(${name}_test PRIVATE atelier_${name} atelier_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${name}_test PRIVATE "${CMAKE_SOURCE_DIR}/tests" "${CMAKE_SOURCE_DIR}/src/${name}")
  target_compile_definitions(${name}_test PRIVATE
    ATELIER_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ATELIER_SHARED_DIR="${CMAKE_SOURCE_DIR}/../shared"
    ATELIER_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 LABELS ${name})
endfunction()

# build_id_probe_*: the same program with the same sources and with others, for tests/base/build_id_test.cpp.
function(add_build_id_probes)
  foreach(probe IN ITEMS a:1 a_again:1 b:2)
    string(REPLACE ":" ";" probe "${probe}")
    list(GET probe 0 name)
    list(GET probe 1 value)
    add_executable(build_id_probe_${name} "${CMAKE_SOURCE_DIR}/tests/base/build_id_probe.cpp")
    target_compile_definitions(build_id_probe_${name} PRIVATE VALUE=${value})
    target_link_libraries(build_id_probe_${name} PRIVATE atelier_base atelier_warnings)
    add_dependencies(base_test build_id_probe_${name})
  endforeach()
endfunction()

# add_mpi_test(NAME RANKS 1 2 4): tests/NAME.cpp has its own main(), which makes an all-rank verdict;
# it runs under a real mpirun on each number of ranks.
function(add_mpi_test name)
  cmake_parse_arguments(ARG "" "SOURCE" "RANKS;ROOMS" ${ARGN})
  add_executable(${name} "${CMAKE_SOURCE_DIR}/${ARG_SOURCE}")
  target_link_libraries(${name} PRIVATE ${ARG_ROOMS} atelier_warnings)
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  foreach(ranks IN LISTS ARG_RANKS)
    add_test(NAME ${name}.ranks${ranks} COMMAND ${MPIEXEC_EXECUTABLE} ${ATELIER_MPIRUN_FLAGS} -n ${ranks}
             $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.ranks${ranks} PROPERTIES TIMEOUT 120 LABELS mpi PROCESSORS 2)
  endforeach()
endfunction()
set(ATELIER_MPIRUN_FLAGS --allow-run-as-root --oversubscribe --bind-to none)

# tests/system/*_test.py: whole-program tests with the standard library's unittest; one ctest entry a file, and one for each
# case that may skip (tests/system/run_entry.py), so that ctest's last lines name what did not run.
# Those that measure nothing and kill nothing at a moment of their choice may run two at a time.
set(ATELIER_SYSTEM_TESTS_SIDE_BY_SIDE azure_test bad_input_test bits_test build_id_test check_layers_test clock_test docs_test
    faulty_input_test media_test names_test pictures_test plan_test processors_test report_test run_entry_test streams_test
    train_test)
function(add_system_tests)
  if(NOT ATELIER_MEDIA)
    return()
  endif()
  if(ATELIER_MPI AND EXISTS "${CMAKE_SOURCE_DIR}/tests/transport/mpi_communicator_test.cpp")
    add_mpi_test(mpi_communicator_test SOURCE tests/transport/mpi_communicator_test.cpp ROOMS atelier_transport
                 RANKS 1 2 4)
  endif()
  file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/system/*_test.py")
  set(run_entry "${CMAKE_SOURCE_DIR}/tests/system/run_entry.py")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${scripts} "${run_entry}")
  execute_process(COMMAND ${ATELIER_PYTHON} -B "${run_entry}" entries ${scripts}
                  OUTPUT_VARIABLE entries OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" entries "${entries}")
  foreach(entry IN LISTS entries)
    string(REGEX MATCH "^(.*):([A-Za-z0-9_.]+)$" matched "${entry}")
    set(script "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    get_filename_component(stem "${script}" NAME_WE)
    set(test system.${stem})
    if(NOT name STREQUAL "all")
      string(APPEND test ".${name}")
    endif()
    add_test(NAME ${test} COMMAND ${ATELIER_PYTHON} -B "${run_entry}" run "${script}" ${name})
    set(processors 2)
    if(stem IN_LIST ATELIER_SYSTEM_TESTS_SIDE_BY_SIDE)
      set(processors 1)
    endif()
    set_tests_properties(${test} PROPERTIES TIMEOUT 900 LABELS system PROCESSORS ${processors} SKIP_RETURN_CODE 77
      ENVIRONMENT "ATELIER=$<TARGET_FILE:atelier>;ATELIER_SHARED=${CMAKE_SOURCE_DIR}/../shared")
  endforeach()
endfunction()
