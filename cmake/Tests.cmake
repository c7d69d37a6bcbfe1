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

# tests/system/*_test.py: whole-program tests with the standard library's unittest; one ctest entry a file.
function(add_system_tests)
  if(NOT ATELIER_MEDIA)
    return()
  endif()
  if(ATELIER_MPI AND EXISTS "${CMAKE_SOURCE_DIR}/tests/transport/mpi_communicator_test.cpp")
    add_mpi_test(mpi_communicator_test SOURCE tests/transport/mpi_communicator_test.cpp ROOMS atelier_transport
                 RANKS 1 2 4)
  endif()
  file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/system/*_test.py")
  foreach(script IN LISTS scripts)
    get_filename_component(stem "${script}" NAME_WE)
    add_test(NAME system.${stem} COMMAND ${ATELIER_PYTHON} -B "${script}" -v)
    set_tests_properties(system.${stem} PROPERTIES TIMEOUT 900 LABELS system PROCESSORS 2
      ENVIRONMENT "ATELIER=$<TARGET_FILE:atelier>;ATELIER_SHARED=${CMAKE_SOURCE_DIR}/../shared")
  endforeach()
endfunction()
