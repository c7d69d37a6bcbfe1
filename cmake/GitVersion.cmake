# ATELIER_GIT_SHA for base/version.cpp: the commit the build was configured from, "unknown" outside a checkout.
execute_process(COMMAND git -C "${CMAKE_SOURCE_DIR}" rev-parse --short=12 HEAD
                OUTPUT_VARIABLE ATELIER_GIT_SHA OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT ATELIER_GIT_SHA)
  set(ATELIER_GIT_SHA "unknown")
endif()
set_property(SOURCE "${CMAKE_SOURCE_DIR}/src/base/version.cpp" APPEND PROPERTY COMPILE_DEFINITIONS
             "ATELIER_GIT_SHA=\"${ATELIER_GIT_SHA}\"" "ATELIER_VERSION=\"${PROJECT_VERSION}\"")
