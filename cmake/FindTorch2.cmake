# Torch2::torch: libtorch from the PyPI wheel of ATELIER_PYTHON, found without importing it.
# The wheel's own TorchConfig.cmake needs a CUDA toolkit and always links libtorch_cuda; this module links
# libtorch_cpu and c10 only, and with ATELIER_CUDA also the CUDA half.
execute_process(
  COMMAND "${ATELIER_PYTHON}" -c
  "import importlib.util as u, os; print(os.path.dirname(u.find_spec('torch').origin))"
  OUTPUT_VARIABLE TORCH2_DIR OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT TORCH2_DIR)
  message(FATAL_ERROR "torch was not found (${ATELIER_PYTHON} has none). Run scripts/setup, or set ATELIER_PYTHON "
                      "to a Python that has torch 2.11.")
endif()
get_filename_component(TORCH2_SITE "${TORCH2_DIR}" DIRECTORY)
file(GLOB TORCH2_NVIDIA "${TORCH2_SITE}/nvidia/*/lib")

if(NOT TARGET Torch2::torch)
  add_library(Torch2::c10 SHARED IMPORTED)
  set_target_properties(Torch2::c10 PROPERTIES IMPORTED_LOCATION "${TORCH2_DIR}/lib/libc10.so" IMPORTED_NO_SONAME TRUE)
  add_library(Torch2::cpu SHARED IMPORTED)
  set_target_properties(Torch2::cpu PROPERTIES IMPORTED_LOCATION "${TORCH2_DIR}/lib/libtorch_cpu.so" IMPORTED_NO_SONAME TRUE)
  add_library(Torch2::torch INTERFACE IMPORTED)
  target_include_directories(Torch2::torch SYSTEM INTERFACE "${TORCH2_DIR}/include"
                             "${TORCH2_DIR}/include/torch/csrc/api/include")
  target_compile_definitions(Torch2::torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_link_libraries(Torch2::torch INTERFACE Torch2::cpu Torch2::c10)
  foreach(dir IN ITEMS "${TORCH2_DIR}/lib" ${TORCH2_NVIDIA})
    target_link_options(Torch2::torch INTERFACE "LINKER:-rpath,${dir}" "LINKER:-rpath-link,${dir}")
  endforeach()
  if(ATELIER_CUDA)
    find_package(CUDAToolkit REQUIRED)
    target_include_directories(Torch2::torch SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
    target_compile_definitions(Torch2::torch INTERFACE ATELIER_CUDA=1)
    # Nothing names a symbol of libtorch_cuda directly: its kernels register themselves when it is loaded.
    target_link_options(Torch2::torch INTERFACE
      "LINKER:--unresolved-symbols=ignore-in-shared-libs"
      "LINKER:--push-state,--no-as-needed,${TORCH2_DIR}/lib/libtorch_cuda.so,${TORCH2_DIR}/lib/libc10_cuda.so,--pop-state")
    target_link_libraries(Torch2::torch INTERFACE CUDA::cudart)
  endif()
endif()
set(Torch2_FOUND TRUE)
