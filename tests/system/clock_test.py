"""Inputs whose clock steps, or whose frames change midway: every frame and every packet of sound at its time, and said.

Tolerances: times one tick of the output (Matroska: 1 ms); samples as each case says.
"""
import os
import signal
import time
import unittest
from fractions import Fraction

import support
from support import SystemTest, ffmpeg, program

TS_PACKET = 188
PICTURE, SOUND = 0x100, 0x101  # PIDs that FFmpeg gives the first two streams
STEP = Fraction(1, 25)
MS = Fraction(1, 1000)


def recording(path, start_s, seconds=3, size="128x72", sound=("mp2",), picture=()):
    """A transport stream of pictures and sound whose clock begins at start_s."""
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration={seconds}", "-f", "lavfi", "-i",
           f"sine=frequency=440:sample_rate=48000:duration={seconds}", "-c:v", "libx264", "-preset", "veryfast", "-bf", 2, "-g",
           25, "-pix_fmt", "yuv420p", *picture, "-c:a", *sound, "-output_ts_offset", start_s, "-muxdelay", 0, "-muxpreload", 0,
           path)
    return path


def join(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def shift_time(stream, pid, number, seconds):
    """Moves the times in the header of a stream's PES packet; H.222.0, 2.4.3.7."""
    found = 0
    for at in range(0, len(stream), TS_PACKET):
        packet = stream[at:at + TS_PACKET]
        if ((packet[1] & 0x1F) << 8 | packet[2]) != pid or not packet[1] & 0x40:
            continue
        begin = 5 + packet[4] if packet[3] & 0x20 else 4
        if found == number:
            num_times = 2 if packet[begin + 7] & 0x40 else 1
            for i in range(num_times):
                field = at + begin + 9 + 5 * i
                b = stream[field:field + 5]
                ticks = ((b[0] >> 1 & 7) << 30 | b[1] << 22 | (b[2] >> 1) << 15 | b[3] << 7 | b[4] >> 1) + round(90000 * seconds)
                stream[field:field + 5] = bytes([b[0] & 0xF1 | (ticks >> 30 & 7) << 1, ticks >> 22 & 0xFF, ticks >> 14 & 0xFE | 1,
                                                 ticks >> 7 & 0xFF, ticks << 1 & 0xFE | 1])
            return
        found += 1
    raise AssertionError(f"PID {pid} has only {found} packets with times")


class ClockTest(SystemTest):
    def options(self, source, output, codec="ffv1"):
        return ["--input", source, "--output", output, "--engine", "identity", "--chunk-frames", 8, "--overwrite", "--codec",
                codec]

    def restyle(self, source, name="out.mkv", *options, codec="ffv1", **more):
        output = self.path(name)
        return output, self.run_done(*self.options(source, output, codec), *options, **more)

    def picture_and_sound(self, path):
        """Times of frames, and (hash, time) of packets of sound."""
        picture, sound = (support.streams(path, kind)[0]["index"] for kind in ("video", "audio"))
        return support.frame_times_s(path, picture), support.packets(path, sound)

    def expected(self, parts):
        """Of recordings one after the other: the picture goes on regularly, or later where the sound lasts; both move alike."""
        times, sound = self.picture_and_sound(parts[0])
        for part in parts[1:]:
            more_times, more_sound = self.picture_and_sound(part)
            moved = times[-1] + STEP - more_times[0]
            if more_sound[0][1] + moved <= sound[-1][1]:  # it would go back
                moved = 2 * sound[-1][1] - sound[-2][1] - more_sound[0][1]
            times += [t + moved for t in more_times]
            sound += [(data, t + moved) for data, t in more_sound]
        return times, sound

    def check(self, parts, output, tick=MS):
        times, sound = self.expected(parts)
        got_times, got_sound = self.picture_and_sound(output)
        self.assertEqual(len(got_times), len(times))
        self.assertLessEqual(max(abs(a - b) for a, b in zip(times, got_times)), tick)
        self.check_sound(sound, got_sound, tick)

    def check_sound(self, expected, got, tick=MS):
        """The same packets at these times."""
        self.assertEqual(len(got), len(expected))
        self.assertTrue(all(a[0] == b[0] for a, b in zip(expected, got)), "a packet has other bytes")
        self.assertLessEqual(max(abs(a[1] - b[1]) for a, b in zip(expected, got)), tick)

    def warnings_of(self, finished, text):
        return [line for line in finished.warnings() if text in line]


class NewClock(ClockTest):
    def make(self, *starts_s, **more):
        parts = [recording(self.path(f"{i}.ts"), start, **more) for i, start in enumerate(starts_s)]
        return parts, join(self.path("joined.ts"), *parts)

    def test_same_clock_twice(self):
        parts, joined = self.make(1.4, 1.4)
        output, finished = self.restyle(joined)
        self.check(parts, output)
        self.assertEqual(len(finished.warnings()), 1, finished.err)
        self.assertRegex(finished.err, r"its clock begins anew at 3.0\d s.* moved by 3.0\d\d s")
        # The MP4's ticks are those of the input.
        output, finished = self.restyle(joined, "out.mp4", codec="x264")
        self.check(parts, output, Fraction(1, 48000))

    def test_small_step(self):
        parts, joined = self.make(11.4, 11.44, seconds=1, sound=("mp2", "-af", "atrim=end=0.98"))
        output, finished = self.restyle(joined)
        self.check(parts, output)
        times, _ = self.picture_and_sound(output)
        self.assertEqual({b - a for a, b in zip(times, times[1:])}, {STEP})
        self.assertEqual(len(finished.warnings()), 1, finished.err)

    def test_many_steps_and_far_behind(self):
        # From 60 s before the start on FFmpeg takes a step for a wrap of the counter.
        parts, joined = self.make(5000, 100, 5001, 20000, 60, seconds=2)
        output, finished = self.restyle(joined)
        times, sound = self.expected(parts[:3])
        got_times, got_sound = self.picture_and_sound(output)
        self.assertEqual(len(got_times), 250)
        self.assertLessEqual(max(abs(a - b) for a, b in zip(times, got_times)), MS)
        self.assertLessEqual(max(abs(a[1] - b[1]) for a, b in zip(sound, got_sound)), MS)
        self.assertAlmostEqual(float(got_times[150] - got_times[149]), 20000 - 5003 + 0.04, places=3, msg="a gap stays")
        self.assertEqual(got_times[200] - got_times[199], STEP)
        self.assertEqual(len(self.warnings_of(finished, "clock begins anew 3 times")), 1, finished.err)

    def test_counter_that_wraps_goes_on(self):
        part = recording(self.path("wrap.ts"), 95442)
        output, finished = self.restyle(part)
        times, sound = self.picture_and_sound(part)
        got_times, got_sound = self.picture_and_sound(output)
        shift = got_times[0] - times[0]
        self.assertLessEqual(max(abs(b - a - shift) for a, b in zip(times, got_times)), MS)
        self.assertLessEqual(max(abs(b[1] - a[1] - shift) for a, b in zip(sound, got_sound)), MS)
        self.assertEqual(self.warnings_of(finished, "clock"), [])

    def test_part_of_it(self):
        parts, joined = self.make(1.4, 1.4)
        output, _ = self.restyle(joined, "out.mkv", "--start", 2, "--duration", 2)
        times, sound = self.expected(parts)
        got_times, got_sound = self.picture_and_sound(output)
        first = times.index(times[0] + 2)
        self.assertEqual(len(got_times), len([t for t in times if times[first] <= t < times[first] + 2]))
        moved = got_times[0] - times[first]
        self.assertLessEqual(max(abs(b - a - moved) for a, b in zip(times[first:], got_times)), MS)
        begin = [data for data, _ in sound].index(got_sound[0][0])
        self.assertAlmostEqual(float(sound[begin][1] - times[first]), 0, delta=0.03)
        for (data, t), (got_data, got) in zip(sound[begin:], got_sound):
            self.assertEqual(data, got_data)
            self.assertLessEqual(abs(got - t - moved), MS)

    def test_same_bytes_whoever_decodes(self):
        _, joined = self.make(1.4, 1.4)
        reference, _ = self.restyle(joined, "reference.mkv")
        for ranks in (1, 3):
            for decode in ("root", "workers"):
                with self.subTest(ranks=ranks, decode=decode):
                    output, finished = self.restyle(joined, "out.mkv", "--decode", decode, ranks=ranks)
                    self.assertEqual(output.read_bytes(), reference.read_bytes())
                    self.assertEqual(len(self.warnings_of(finished, "clock begins anew")), 1, finished.err)

    def test_same_bytes_when_resumed(self):
        _, joined = self.make(1.4, 1.4, size="320x180")
        reference, _ = self.restyle(joined, "reference.mkv", "--preset", "veryslow", codec="x264")
        for decode in ("root", "workers"):
            with self.subTest(decode):
                output = self.path(f"{decode}.mkv")
                command = [*support.MPIRUN, "-n", 3, program(), "run", *self.options(joined, output, "x264"), "--preset",
                           "veryslow", "--decode", decode]
                work = self.path(f"{decode}.mkv.atelier")
                process = self.in_background(command)
                until = time.monotonic() + 60
                while len(list((work / "segments").glob("*.seg"))) < 3 and process.poll() is None:
                    self.assertLess(time.monotonic(), until)
                    time.sleep(0.01)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                self.assertTrue(work.exists(), self.said(process))
                finished = support.run_process(command, env=support.clean_environment())
                self.assert_done(finished)
                self.assertEqual(output.read_bytes(), reference.read_bytes())

    def test_what_is_moved_for_the_container_is_said(self):
        """Sound that jitters by less than two packets stays as it is, but MP4 needs times that increase."""
        part = recording(self.path("a.ts"), 1.4)
        stream = bytearray(part.read_bytes())
        shift_time(stream, SOUND, 5, -0.03)
        self.path("jitter.ts").write_bytes(stream)
        _, finished = self.restyle(self.path("jitter.ts"), "out.mp4", codec="x264")
        self.assertEqual(len(finished.warnings()), 1, finished.err)
        self.assertRegex(finished.err, r"1 packet of output stream 1 \(audio, mp2\) did not follow those before in time and was "
                         r"moved by 0.006 s: MP4 needs times that increase")


class OneBadTime(ClockTest):
    def test_only_that_time_is_replaced(self):
        part = recording(self.path("a.ts"), 100)
        times, sound = self.picture_and_sound(part)
        for pid, number in ((PICTURE, 30), (SOUND, 5)):
            for error_s in (-20, -0.9, 0.7, 5, 3000):
                with self.subTest(pid=pid, error_s=error_s):
                    stream = bytearray(part.read_bytes())
                    shift_time(stream, pid, number, error_s)
                    self.path("bad.ts").write_bytes(stream)
                    output, finished = self.restyle(self.path("bad.ts"))
                    got_times, got_sound = self.picture_and_sound(output)
                    self.assertEqual(len(got_times), len(times))
                    self.assertLessEqual(max(abs(a - b) for a, b in zip(times, got_times)), MS)
                    self.check_sound(sound, got_sound)
                    self.assertEqual(len(self.warnings_of(finished, f"of stream {pid - PICTURE} near")), 1, finished.err)
                    self.assertEqual(self.warnings_of(finished, "anew"), [])


class ChangesMidway(ClockTest):
    SOURCE = ("-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25:duration=1")

    def make(self, *kinds):
        """Parts one after the other on one clock: options of FFmpeg for each."""
        parts = []
        for i, kind in enumerate(kinds):
            part = self.path(f"{i}.ts")
            ffmpeg(*self.SOURCE, "-c:v", "libx264", "-preset", "veryfast", "-crf", 5, "-pix_fmt", "yuv420p", *kind,
                   "-output_ts_offset", 1 + i, "-muxdelay", 0, part)
            parts.append(part)
        return parts, join(self.path("joined.ts"), *parts)

    def restyled_frames(self, joined, warning):
        output, finished = self.restyle(joined)
        said = [line for line in finished.warnings() if "from frame" in line]
        self.assertEqual(len(said), 1, finished.err)
        self.assertIn(f"from frame 25 on the {warning} as at its start", said[0])
        stream = support.styled_stream(output)
        frames = support.decoded(output, 0, "rgb24").reshape(-1, stream["height"], stream["width"], 3)
        self.assertEqual(len(frames), 50)
        for decode in ("root", "workers"):
            again, finished = self.restyle(joined, "again.mkv", "--decode", decode, ranks=3)
            self.assertEqual(again.read_bytes(), output.read_bytes())
            self.assertEqual(len([line for line in finished.warnings() if "from frame" in line]), 1, finished.err)
        return frames

    def check_colors(self, warning, *kinds):
        """The same in RGB as before, within 4 codes: FFmpeg's conversions to RGB are as coarse. With chroma at full size, since
        renderers differ by much more in how they interpolate it."""
        parts, joined = self.make(*((*kind, "-pix_fmt", "yuv444p") for kind in kinds))
        frames = self.restyled_frames(joined, warning)
        for part, got in zip(parts, (frames[:25], frames[25:])):
            expected = support.decoded(part, 0, "rgb24").reshape(got.shape)
            self.assertLessEqual(support.largest_difference(got, expected), 4)

    def test_matrix(self):
        self.check_colors("matrix is bt709, not smpte170m",
                          ("-vf", "scale=out_color_matrix=smpte170m", "-colorspace", "smpte170m"),
                          ("-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709"))

    def test_range(self):
        self.check_colors("range is full, not limited", ("-vf", "scale=out_range=tv", "-color_range", "tv"),
                          ("-vf", "scale=out_range=pc", "-color_range", "pc"))

    def test_sample_aspect_ratio(self):
        _, joined = self.make(("-vf", "drawbox=color=white:t=fill,setsar=16/11"), ("-vf", "drawbox=color=white:t=fill,setsar=12/11"))
        frames = self.restyled_frames(joined, "sample aspect ratio is 12:11, not 16:11")
        # Three quarters as wide: 96 of 128 columns.
        self.assertGreater(frames[25:, :, 18:110].min(), 245)
        self.assertLess(frames[25:, :, :14].max(), 10)
        self.assertLess(frames[25:, :, 114:].max(), 10)
        self.assertGreater(frames[:25].min(), 245)

    def test_size_and_shape(self):
        white = "drawbox=color=white:t=fill"
        _, joined = self.make(("-vf", white), ("-vf", f"scale=64:36,{white},setsar=1"))
        frames = self.restyled_frames(joined, "size is 64x36, not 128x96")
        self.assertGreater(frames[25:, 16:80].min(), 245)
        self.assertLess(frames[25:, :8].max(), 10)
        self.assertLess(frames[25:, 88:].max(), 10)

    def test_what_cannot_be_converted_is_named(self):
        _, joined = self.make(("-color_trc", "bt709"), ("-color_trc", "smpte2084"))
        frames = self.restyled_frames(joined, "transfer characteristic is smpte2084, not bt709")
        self.assertLessEqual(support.largest_difference(frames[25:], frames[:25]), 1)


if __name__ == "__main__":
    unittest.main()
