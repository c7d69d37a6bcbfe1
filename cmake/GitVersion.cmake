# ATELIER_GIT_SHA for base/version.cpp: the commit the build was configured from, with "-dirty" where what is built differs
# from it; "unknown" outside a checkout. People read it. The program's identity is its build id (base/build_id.h).
set(git git -C "${CMAKE_SOURCE_DIR}")
execute_process(COMMAND ${git} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE ATELIER_GIT_SHA OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(ATELIER_GIT_SHA)
  execute_process(COMMAND ${git} status --porcelain -- src include cmake CMakeLists.txt CMakePresets.json
                  OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    string(APPEND ATELIER_GIT_SHA "-dirty")
  endif()
  # Another commit is another name.
  execute_process(COMMAND ${git} rev-parse --path-format=absolute --git-path logs/HEAD
                  OUTPUT_VARIABLE head_log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(EXISTS "${head_log}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${head_log}")
  endif()
else()
  set(ATELIER_GIT_SHA "unknown")
endif()
set_property(SOURCE "${CMAKE_SOURCE_DIR}/src/base/version.cpp" APPEND PROPERTY COMPILE_DEFINITIONS
             "ATELIER_GIT_SHA=\"${ATELIER_GIT_SHA}\"" "ATELIER_VERSION=\"${PROJECT_VERSION}\"")
