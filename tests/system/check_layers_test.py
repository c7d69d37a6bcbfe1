"""scripts/check-layers: passes on this repository, fails on every kind of planted violation."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {
    "include/atelier/base/text.h": "#pragma once\n#include <string>\n",
    "include/atelier/frame/chunk.h": '#pragma once\n#include "atelier/base/text.h"\n',
    "include/atelier/tensor/device.h": "#pragma once\n#include <ATen/core/Tensor.h>\n",
    "src/base/log.cpp": '#include "atelier/base/text.h"\n#include <spdlog/spdlog.h>\n',
    "src/media/libav.h": "#pragma once\nextern \"C\" {\n#include <libavcodec/avcodec.h>\n}\n",
    "src/media/probe.cpp": '#include "libav.h"\n#include "atelier/frame/chunk.h"\n',
    "src/transport/mpi_communicator.cpp": "#include <mpi.h>\n",
    "src/cli/main.cpp": "int main() {}\n",
}
# (file, its text, a part of the message that must name it)
VIOLATIONS = [
    ("src/media/convert.cpp", '#include "atelier/tensor/device.h"\n', "room media includes atelier/tensor/device.h"),
    ("src/base/early.cpp", '#include "atelier/frame/chunk.h"\n', "room base includes atelier/frame/chunk.h"),
    ("src/cli/grab.cpp", '#include "atelier/tensor/device.h"\n', "room cli includes atelier/tensor/device.h"),
    ("src/pipeline/peek.cpp", "#include <libavcodec/avcodec.h>\n", "is FFmpeg's"),
    ("include/atelier/media/leak.h", "#pragma once\n#include <libavutil/frame.h>\n", "is FFmpeg's"),
    ("include/atelier/transport/leak.h", "#pragma once\n#include <mpi.h>\n", "is MPI's"),
    ("src/pipeline/send.cpp", "#include <mpi.h>\n", "is MPI's"),
    ("include/atelier/io/leak.h", "#pragma once\n#include <hdf5.h>\n", "is HDF5's"),
    ("src/planning/read.cpp", "#include <hdf5.h>\n", "is HDF5's"),
    ("src/base/options.cpp", "#include <boost/program_options.hpp>\n", "is Boost's"),
    ("src/io/talk.cpp", "#include <spdlog/spdlog.h>\n", "is spdlog's"),
    ("src/io/sum.cpp", "#include <xxhash.h>\n", "is xxHash's"),
    ("src/media/warp.cpp", "#include <ATen/core/Tensor.h>\n", "is libtorch's"),
    ("src/models/stream.cpp", "#include <cuda_runtime.h>\n", "is CUDA's"),
    ("src/models/stream.cpp", "#include <ATen/cuda/CUDAContext.h>\n", "is CUDA's"),
    ("src/tensor/conv.cpp", "#include <cudnn.h>\n", "is cuDNN's"),
    ("include/atelier/io/state.h", "#pragma once\n#include <nlohmann/json.hpp>\n", "is nlohmann-json's"),
    ("src/base/spy.cpp", "#include <gtest/gtest.h>\n", "is GoogleTest's"),
    ("src/pipeline/reach.cpp", '#include "../media/libav.h"\n', "reaches out of the room"),
    ("src/media/ghost.cpp", '#include "atelier/frame/ghost.h"\n', "does not exist"),
    ("src/media/loop.cpp", "while (av_read_frame(input, packet) >= 0) {}\n", "av_read_frame passes failing storage over"),
    ("src/media/raw.cpp", "avformat_open_input(&input, url, nullptr, nullptr);\n", "Call read_frame"),
    ("src/media/head.cpp", 'std::fopen(path.c_str(), "rb");\n', "Read with FileReader"),
    ("src/media/head.cpp", "std::ifstream file(path);\n", "Read with FileReader"),
    ("src/media/CamelCase.cpp", "\n", "not snake_case"),
    ("src/media/bare.h", "\n", "without '#pragma once'"),
    ("src/attic/old.cpp", "\n", "not directly in a room"),
    ("src/cli/main.cpp", "int main() {}\n" + "// filler\n" * 60, "main stays under"),
]


def check(files):
    """Exit code and stderr of the script on a tree of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, ROOT / "scripts" / "check-layers", folder], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        return done.returncode, done.stderr


class CheckLayers(unittest.TestCase):
    def test_repository_is_clean(self):
        done = subprocess.run([sys.executable, ROOT / "scripts" / "check-layers"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_clean_tree_passes(self):
        self.assertEqual(check(CLEAN), (0, ""))

    def test_each_planted_violation_is_named(self):
        for name, text, message in VIOLATIONS:
            with self.subTest(file=name, text=text):
                code, errors = check({**CLEAN, name: text})
                self.assertEqual(code, 1)
                self.assertEqual(len(errors.splitlines()), 1, errors)
                self.assertIn(name, errors)
                self.assertIn(message, errors)

    def test_empty_folder_fails(self):
        code, errors = check({"README.md": "nothing\n"})
        self.assertEqual(code, 1)
        self.assertIn("no file in", errors)


if __name__ == "__main__":
    unittest.main()
