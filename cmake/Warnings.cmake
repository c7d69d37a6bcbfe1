# Warnings for our own code. FFmpeg marks much of its API as deprecated between releases: those stay warnings.
add_library(atelier_warnings INTERFACE)
target_compile_options(atelier_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wnull-dereference -Wno-deprecated-declarations)
if(ATELIER_WERROR)
  target_compile_options(atelier_warnings INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely from inlined standard library code.
  target_compile_options(atelier_warnings INTERFACE -Wno-null-dereference -Wno-restrict -Wno-array-bounds
    -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized -Wno-dangling-pointer)
  # g++ 13 takes every reference from a function with a temporary argument for dangling.
  target_compile_options(atelier_warnings INTERFACE -Wno-dangling-reference)
endif()
