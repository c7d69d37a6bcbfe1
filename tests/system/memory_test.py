"""Memory does not grow with the length of the video."""
import unittest

import h5py

import support
from support import SystemTest


class Memory(SystemTest):
    # ATELIER_MEMORY_TEST_S and _SIZE ask for more than the quick default: 600 and 640x360, for example.
    LONG_S = int(support.os.environ.get("ATELIER_MEMORY_TEST_S", "200"))
    SIZE = support.os.environ.get("ATELIER_MEMORY_TEST_SIZE", "640x360")
    SHORT_S = 30

    def peaks(self, clip, seconds, ranks):
        """Peak resident bytes by role."""
        record = self.path(f"{seconds}-{ranks}.h5")
        self.run_done("--input", clip, "--output", self.path("out.mp4"), "--overwrite", "--engine", "identity",
                      "--preset", "ultrafast", "--duration", seconds, "--record", record, ranks=ranks, timeout_s=800)
        with h5py.File(record) as file:
            self.assertEqual(len(file["frames"]), seconds * 25)
            rows = file["ranks"][:]
        peaks = {}
        for row in rows:
            role = row["role"].decode()
            peaks[role] = max(peaks.get(role, 0), int(row["peak_memory_bytes"]))
        return peaks

    def test_does_not_grow(self):
        clip = self.path("clip.mkv")
        support.tool("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                     f"testsrc2=size={self.SIZE}:rate=25:duration={self.LONG_S}", "-f", "lavfi", "-i",
                     f"sine=duration={self.LONG_S}", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-g", "48",
                     "-c:a", "aac", clip, timeout_s=800)
        for ranks in (1, 3):
            short = self.peaks(clip, self.SHORT_S, ranks)
            long = self.peaks(clip, self.LONG_S, ranks)
            for role, bytes_long in long.items():
                with self.subTest(ranks=ranks, role=role):
                    ratio = bytes_long / short[role]
                    print(f"{ranks} ranks, {role}: {short[role] >> 20} MiB for {self.SHORT_S} s, "
                          f"{bytes_long >> 20} MiB for {self.LONG_S} s ({ratio:.3f})")
                    # 5 %, and the noise from run to run: which queue the frames under way wait in is chance, and
                    # two chunks are 32 MiB. Two frames lost a chunk would be 72 MiB.
                    self.assertLess(bytes_long, 1.05 * short[role] + (32 << 20))


if __name__ == "__main__":
    unittest.main()
