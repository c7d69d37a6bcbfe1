"""Which stream is styled, and what becomes of what a video has besides its frames: kept, or named before the job.

Tolerances: samples of lossless outputs are exact.
"""
import re
import unittest

import numpy as np

import support
from support import SystemTest, atelier, ffmpeg

VIDEOS = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1", "-f", "lavfi", "-i",
          "testsrc2=size=128x72:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", 2, "-g", 10)


def blank_pid(path, pid):
    """Turns every packet of an MPEG-TS with this PID into a null packet."""
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 188):
        if ((data[at + 1] & 0x1F) << 8 | data[at + 2]) == pid:
            data[at + 1], data[at + 2] = data[at + 1] & 0xE0 | 0x1F, 0xFF
    path.write_bytes(data)


def elements(data, at, end):
    """(name, begin and end of the content) of each EBML element between two places."""
    def number(at, keeps_mark):
        size = 9 - data[at].bit_length()
        first = data[at] if keeps_mark else data[at] & (0xFF >> size)
        return int.from_bytes(bytes([first]) + data[at + 1:at + size], "big"), at + size
    while at < end:
        name, at = number(at, True)
        size, at = number(at, False)
        yield name, at, min(end, at + size)
        at += size


class StreamsTest(SystemTest):
    def two_programmes(self, name="two.ts"):
        """A: 64x48 without sound; B: 128x72 with it."""
        ffmpeg(*VIDEOS, "-map", 0, "-map", 1, "-map", 2, *X264, "-c:a", "mp2", "-program", "title=A:st=0", "-program",
               "title=B:st=1:st=2", self.path(name))
        return self.path(name)

    def run_identity(self, source, name, *options, **more):
        finished = self.run_done("--input", source, "--output", self.path(name), *(() if "--engine" in options else ("--engine", "identity", "--chunk-frames", 8)),
                                 "--overwrite", *options, **more)
        return self.path(name), finished

    def dry_run(self, source, name, *options):
        """What it says; nothing may be written."""
        before = sorted(self.folder.iterdir())
        finished = atelier("run", "--input", source, "--output", self.path(name), "--engine", "identity", "--dry-run", *options)
        self.assert_done(finished)
        self.assertEqual(sorted(self.folder.iterdir()), before)
        return finished.out

    def sizes(self, path):
        return [(s.get("width"), s.get("height")) for s in support.streams(path, "video")]


class Choice(StreamsTest):
    def test_empty_first_stream(self):
        clip = self.two_programmes()
        blank_pid(clip, 0x100)
        said = self.dry_run(clip, "out.mkv")
        self.assertRegex(said, r"stream:  1 \(it has frames in the first seconds")
        output, _ = self.run_identity(clip, "out.mkv", "--codec", "ffv1")
        styled = next(s for s in support.streams(output, "video") if s["codec_name"] == "ffv1")
        self.assertEqual((styled["width"], styled["height"]), (128, 72))
        self.assertEqual(len(support.frame_times_s(output, styled["index"])), 25)

    def test_programme_of_the_sound(self):
        clip = self.two_programmes()
        self.assertIn("stream:  1 (it is in the programme of the sound)", self.dry_run(clip, "out.mkv"))
        self.assertIn("stream:  0 (--stream)", self.dry_run(clip, "out.mkv", "--stream", 0))
        for options, width in (((), 128), (("--stream", 0), 64)):
            with self.subTest(options):
                outputs = []
                for ranks, decode in ((1, "root"), (3, "root"), (3, "workers")):
                    name = f"{width}-{ranks}-{decode}.mkv"
                    output, _ = self.run_identity(clip, name, *options, "--codec", "ffv1", "--decode", decode, ranks=ranks)
                    outputs.append(output.read_bytes())
                    videos = support.streams(output, "video")
                    self.assertEqual([s["width"] for s in videos if s["codec_name"] == "ffv1"], [width])
                    self.assertEqual(len(videos), 2, "the other one is copied")
                    self.assertEqual(len(support.streams(output, "audio")), 1)
                self.assertEqual(len(set(outputs)), 1, "the same bytes")

    def test_info(self):
        clip = self.two_programmes()
        blank_pid(clip, 0x100)
        finished = atelier("info", clip)
        self.assert_done(finished)
        styled = [line for line in finished.out.splitlines() if "would be styled" in line]
        self.assertEqual(len(styled), 1)
        self.assertIn("stream 1: video, h264, 128x72", styled[0])
        self.assertNotRegex(finished.out, r"\b(unknown|und|0x0)\b")

    def test_finished_chunks_of_another_stream_are_not_used(self):
        clip = self.two_programmes()
        command = ("run", "--input", clip, "--output", self.path("out.mkv"), "--engine", "simulated", "--simulated-ms", 150,
                   "--chunk-frames", 2, "--grace", 2)
        self.assertEqual(atelier(*command, "--stream", 0, "--max-time", 1.5).code, 75)
        other = atelier(*command, "--stream", 1)
        self.assert_done(other)
        self.assertIn("styled stream changed from 0 to 1", other.err)
        fresh, _ = self.run_identity(clip, "fresh.mkv", "--engine", "simulated", "--simulated-ms", 0, "--chunk-frames", 2,
                                     "--stream", 1)
        self.assertEqual(self.path("out.mkv").read_bytes(), fresh.read_bytes())


class Alpha(StreamsTest):
    def alpha(self, path):
        """The samples of every frame's transparency."""
        support.ffmpeg("-c:v", "libvpx-vp9", "-i", path, "-vf", "alphaextract,format=gray", "-fps_mode", "passthrough", "-f",
                       "rawvideo", self.path("raw"))
        return np.fromfile(self.path("raw"), dtype=np.uint8)

    def test_vp9_to_vp9(self):
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=2,format=yuva420p,"
               "geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':a='2*X+5*N'", "-c:v", "libvpx-vp9", "-auto-alt-ref", 0, "-g", 4, "-b:v", "1M",
               self.path("in.webm"))
        source = self.alpha(self.path("in.webm"))
        self.assertGreater(np.ptp(source), 100)
        outputs = []
        for ranks, where in ((1, "root"), (3, "root"), (3, "workers")):
            output, finished = self.run_identity(self.path("in.webm"), f"{ranks}-{where}.webm", "--encoder-options", "lossless=1",
                                                 "--decode", where, "--encode", where, ranks=ranks)
            self.assertEqual(finished.warnings(), [])
            outputs.append(output.read_bytes())
        self.assertEqual(len(set(outputs)), 1, "the same bytes")
        got = self.alpha(self.path("1-root.webm"))
        self.assertEqual(got.size, source.size)
        self.assertEqual(support.largest_difference(got, source), 0)
        said = self.dry_run(self.path("in.webm"), "out.mp4")
        self.assertIn("transparency is dropped", said)


class Losses(StreamsTest):
    def test_named_before_the_job_and_once(self):
        ffmpeg(*VIDEOS, "-map", 0, "-map", 2, *X264, "-c:a", "aac", self.path("in.mp4"))
        said = self.dry_run(self.path("in.mp4"), "out.webm", "--codec", "vp9")
        sentence = "Stream 1 (audio, aac) is left out: WebM cannot hold it."
        self.assertIn(f"warning: {sentence}", said)
        for ranks in (1, 3):
            _, finished = self.run_identity(self.path("in.mp4"), "out.webm", "--codec", "vp9", ranks=ranks)
            self.assertEqual([line for line in finished.warnings() if sentence in line], [f"atelier: warning: {sentence}"])

    def test_captions_are_named_once_for_all_ranks(self):
        """A53 captions in MPEG-2 user data; FFV1 has no place for them."""
        ffmpeg(*VIDEOS[:4], "-c:v", "mpeg2video", "-q:v", 4, "-g", 5, self.path("plain.m2v"))
        data = self.path("plain.m2v").read_bytes()
        captions = b"\x00\x00\x01\xB2GA94\x03\x41\xFF\xFC\x94\x20\xFF"
        # Behind the picture coding extension of each picture.
        data = re.sub(rb"(\x00\x00\x01\xB5[\x80-\x8F].{3,6}?)(?=\x00\x00\x01)", lambda m: m.group(1) + captions, data,
                      flags=re.DOTALL)
        self.path("captions.m2v").write_bytes(data)
        ffmpeg("-fflags", "+genpts", "-r", 25, "-i", self.path("captions.m2v"), "-c", "copy", self.path("in.ts"))
        self.assertIn("captions of the frames", self.dry_run(self.path("in.ts"), "out.mkv", "--codec", "ffv1"))
        _, finished = self.run_identity(self.path("in.ts"), "out.mkv", "--codec", "ffv1", "--encode", "workers", ranks=3)
        self.assertEqual(len([line for line in finished.warnings() if "captions" in line]), 1, finished.err)

    def test_matroska_beyond_ffmpeg(self):
        """Crop and a language with subtags, patched into a file byte for byte."""
        ffmpeg(*VIDEOS[:4], "-vf", "setsar=2", *X264, "-metadata:s:v", "title=ABCDEF", self.path("in.mkv"))
        data = bytearray(self.path("in.mkv").read_bytes())
        for old, new in ((b"\x53\x6E\x86ABCDEF", b"\x22\xB5\x9D\x85de-CH"), (b"\x54\xB2\x81\x03", b"\x54\xBB\x81\x04")):
            self.assertEqual(data.count(old), 1)
            data[data.index(old):data.index(old) + len(old)] = new
        self.path("in.mkv").write_bytes(data)
        said = self.dry_run(self.path("in.mkv"), "out.mp4")
        self.assertIn("crop of stream 0", said)
        self.assertIn("language 'de-CH' of stream 0", said)
        self.assertNotIn("track numbers", said)
        output, finished = self.run_identity(self.path("in.mkv"), "out.mkv")
        # FFmpeg 7.1 and later show the crop and write it.
        lost = b"\x54\xBB\x81\x04" not in output.read_bytes()
        self.assertEqual(any("crop of stream 0" in line for line in finished.warnings()), lost, finished.err)
        self.assertTrue(any("language 'de-CH' of stream 0" in line for line in finished.warnings()), finished.err)

    def test_gap_between_track_numbers(self):
        ffmpeg(*VIDEOS[:4], *X264, self.path("in.mkv"))
        data = bytearray(self.path("in.mkv").read_bytes())

        def renumber(at, end):
            for name, begin, after in elements(data, at, end):
                if name in (0x18538067, 0x1654AE6B, 0xAE, 0x1F43B675, 0xA0):  # segment, tracks, one of them, cluster, group
                    renumber(begin, after)
                elif name == 0xD7:  # track number
                    data[begin] = 5
                elif name in (0xA1, 0xA3):  # block, simple block
                    data[begin] = 0x85
        renumber(0, len(data))
        self.path("in.mkv").write_bytes(data)
        self.assertEqual(len(support.frame_times_s(self.path("in.mkv"), 0)), 25)
        self.assertIn("track numbers 5", self.dry_run(self.path("in.mkv"), "out.mkv"))


if __name__ == "__main__":
    unittest.main()
