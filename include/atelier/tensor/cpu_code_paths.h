#pragma once

namespace atelier::tensor {

/// Makes libtorch compute alike on as many kinds of CPU as its libraries allow. ATen uses AVX2 (if the CPU
/// has it with FMA; AVX-512 is no faster there), MKL one code path for all vendors and cache sizes (it only
/// prepares weights), and oneDNN no instructions beyond the first AVX-512. oneDNN keeps AVX-512: its
/// convolutions take half as long again with AVX2. Variables that are set stay as they are, so
/// ONEDNN_MAX_CPU_ISA=AVX2 makes machines with and without AVX-512 alike. (oneDNN: CPU dispatcher control;
/// oneMKL: conditional numerical reproducibility.)
///
/// To be called at the start of main(): the libraries read the environment once, as they are first used, and
/// no other thread may read it meanwhile.
void pin_cpu_code_paths();

}  // namespace atelier::tensor
