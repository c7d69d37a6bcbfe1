"""Every kind of video through the identity engine and a lossless codec: same frames, same times, the rest untouched.

Tolerances: samples 1 code value; times half a tick of the output (a common shift, and then one tick, where the container
cannot hold the start); packets of copied streams exact.
"""
import re
import unittest
from fractions import Fraction

import support
from support import CLIPS, SystemTest, ffmpeg, test_clip

SOURCE = ("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25:duration=1.2")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1.2")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")


class MediaTest(SystemTest):
    def restyle(self, source, name="out.mkv", *options, ranks=1, codec="ffv1", **more):
        """Runs identity; the output must decode without a message."""
        output = self.path(name)
        finished = self.run_done("--input", source, "--output", output, "--engine", "identity", "--chunk-frames", 8,
                                 "--overwrite", *(["--codec", codec] if codec else []), *options, ranks=ranks, **more)
        noise = support.run_process(["ffmpeg", "-v", "error", "-nostdin", "-i", output, "-f", "null", "-"])
        self.assertEqual((noise.code, noise.err), (0, ""))
        return output, finished

    def time_base(self, path, index):
        return Fraction(next(s["time_base"] for s in support.streams(path) if s["index"] == index))

    def check_times(self, expected, got, tick, shift_allowed=False):
        """Returns the common shift in seconds."""
        self.assertEqual(len(got), len(expected), "number of frames or packets")
        self.assertGreater(len(got), 0)
        differences = [b - a for a, b in zip(expected, got)]
        if max(map(abs, differences)) <= tick / 2:
            return Fraction(0)
        self.assertTrue(shift_allowed, f"times differ by up to {float(max(map(abs, differences)))} s: "
                        f"{[float(t) for t in expected[:8]]} became {[float(t) for t in got[:8]]}")
        self.assertLessEqual(max(differences) - min(differences), tick)
        return differences[0]

    def check_video(self, source, output, shift_allowed=False, samples=True, frame_step=1):
        """Same frames at the same times. Returns the shift."""
        before = support.styled_stream(source)
        after = support.styled_stream(output)
        tick = self.time_base(output, after["index"])
        shift = self.check_times(support.frame_times_s(source, before["index"]), support.frame_times_s(output, after["index"]),
                                 tick, shift_allowed)
        for key in ("width", "height", "sample_aspect_ratio", "color_space", "color_transfer", "color_primaries",
                    "chroma_location", "color_range"):
            if before.get(key) not in (None, "unspecified", "unknown", "0:1", "N/A"):
                # Video without a range is limited. MP4 has no place for that alone, and FFmpeg 7.1 tags it in Matroska.
                unset = "tv" if key == "color_range" else None
                self.assertEqual(after.get(key, unset), before[key], key)
        if samples:
            # Where the source's own format packs bits, FFmpeg unpacks them first.
            pixel_format = {"monow": "gray"}.get(before["pix_fmt"], before["pix_fmt"])
            expected = support.decoded(source, before["index"], pixel_format)
            got = support.decoded(output, after["index"], pixel_format.replace("yuvj", "yuv"))
            self.assertEqual(got.size, expected.size)
            self.assertLessEqual(support.largest_difference(got, expected), 1)
        return shift

    def check_packets(self, source, source_index, output, output_index, shift=Fraction(0)):
        before = support.packets(source, source_index)
        after = support.packets(output, output_index)
        self.assertEqual([data for data, _ in after], [data for data, _ in before])
        tick = max(self.time_base(output, output_index), self.time_base(source, source_index))
        for (_, expected), (_, got) in zip(before, after):
            self.assertLessEqual(abs(got - expected - shift), tick)

    def check_others(self, source, output, kinds=("audio",), shift=Fraction(0)):
        """Streams of these kinds: as many, in order, packet for packet."""
        for kind in kinds:
            before, after = support.streams(source, kind), support.streams(output, kind)
            self.assertEqual([s["codec_name"] for s in after], [s["codec_name"] for s in before])
            self.assertGreater(len(before), 0)
            for a, b in zip(before, after):
                self.check_packets(source, a["index"], output, b["index"], shift)
                self.assertEqual(b.get("tags", {}).get("language", "und"), a.get("tags", {}).get("language", "und"))

    def check(self, source, *options, kinds=(), shift_allowed=False, **more):
        output, finished = self.restyle(source, "out.mkv", *options, **more)
        shift = self.check_video(source, output, shift_allowed)
        if shift:
            self.assertEqual(len([line for line in finished.err.splitlines() if re.search("shift|start|earlier|later", line)]),
                             1, f"a shift must be said once: {finished.err}")
        if kinds:
            self.check_others(source, output, kinds, shift)
        return output, finished


class Codecs(MediaTest):
    def make(self, name, *arguments, inputs=SOURCE):
        ffmpeg(*inputs, *arguments, self.path(name))
        return self.path(name)

    def test_h264_b_frames(self):
        clip = self.make("a.mp4", *X264, "-bf", 3, "-g", 10, "-c:a", "aac", inputs=SOURCE + SOUND)
        self.check(clip, kinds=("audio",), shift_allowed=True)

    def test_h264_paff(self):
        self.check(self.make("a.mkv", *X264, "-flags", "+ildct+ilme", "-x264opts", "tff=1", "-bf", 2))

    def test_h264_open_gop_intra_refresh(self):
        self.check(self.make("a.mkv", *X264, "-g", 10, "-x264-params", "open-gop=1:bframes=3"))
        self.check(self.make("b.mkv", *X264, "-x264-params", "intra-refresh=1:keyint=12"))

    def test_h264_high_depth_and_chroma(self):
        for pixel_format in ("yuv420p10le", "yuv422p", "yuv444p", "yuvj420p", "gray"):
            with self.subTest(pixel_format):
                self.check(self.make(f"{pixel_format}.mkv", "-c:v", "libx264", "-pix_fmt", pixel_format))

    def test_hevc_10_bit(self):
        clip = self.make("a.mp4", "-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p10le", "-tag:v",
                         "hvc1")
        self.check(clip, shift_allowed=True)

    def test_hevc_hdr(self):
        clip = self.make("a.mkv", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-color_primaries", "bt2020", "-color_trc",
                         "smpte2084", "-colorspace", "bt2020nc", "-x265-params",
                         "log-level=error:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
                         "L(10000000,1):max-cll=1000,400")
        output, _ = self.check(clip)
        frame = support.probe(output, "-show_frames", "-select_streams", "v:0", "-read_intervals", "%+#1")["frames"][0]
        stream = support.styled_stream(output)
        names = {entry["side_data_type"] for entry in frame.get("side_data_list", []) + stream.get("side_data_list", [])}
        self.assertLessEqual({"Mastering display metadata", "Content light level metadata"}, names)

    def test_vp8_and_vp9(self):
        for codec in ("libvpx", "libvpx-vp9"):
            with self.subTest(codec):
                self.check(self.make(f"{codec}.webm", "-c:v", codec, "-deadline", "realtime", "-cpu-used", 8, "-b:v", "300k"))

    def test_vp9_superframes(self):
        clip = self.make("a.webm", "-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", 5, "-b:v", "200k", "-auto-alt-ref",
                         1, "-lag-in-frames", 16)
        self.check(clip)

    def test_av1(self):
        if not support.has_encoder("libsvtav1"):
            self.skipTest("FFmpeg has no libsvtav1 to make the clip")
        self.check(self.make("a.mkv", "-c:v", "libsvtav1", "-preset", 10, "-pix_fmt", "yuv420p"))

    def test_mpeg2_interlaced(self):
        clip = self.make("a.ts", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-top", 1, "-bf", 2, "-q:v", 4, "-c:a", "mp2",
                         inputs=SOURCE + SOUND)
        output, _ = self.check(clip, kinds=("audio",))
        frames = support.probe(output, "-show_frames", "-select_streams", "v:0")["frames"]
        self.assertTrue(all(frame["interlaced_frame"] == 1 for frame in frames))
        self.assertTrue(all(frame["top_field_first"] == 1 for frame in frames))

    def test_mpeg2_progressive_stream(self):
        self.check(self.make("a.mpg", "-c:v", "mpeg2video", "-bf", 2, "-q:v", 4))

    def test_mpeg4(self):
        self.check(self.make("a.mp4", "-c:v", "mpeg4", "-bf", 2, "-q:v", 4), shift_allowed=True)
        self.check(self.make("b.avi", "-c:v", "mpeg4", "-q:v", 4))

    def test_prores(self):
        clip = self.make("a.mov", "-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le", inputs=SOURCE + SOUND)
        self.check(clip, kinds=("audio",))

    def test_mjpeg(self):
        self.check(self.make("a.mov", "-c:v", "mjpeg", "-q:v", 3, "-pix_fmt", "yuvj422p"))

    def test_ffv1_formats(self):
        for pixel_format in ("gray", "gray10le", "gray16le", "yuv411p", "yuv410p", "yuv440p", "yuv444p", "yuv422p10le",
                             "yuv444p12le", "yuv420p16le", "bgr0", "gbrp10le", "gbrp16le", "yuva420p", "yuv420p9le"):
            with self.subTest(pixel_format):
                self.check(self.make(f"{pixel_format}.mkv", "-c:v", "ffv1", "-pix_fmt", pixel_format))

    def test_packed_and_semi_planar_formats(self):
        for pixel_format in ("nv12", "yuyv422", "uyvy422", "rgb24", "bgra", "pal8", "monow"):
            with self.subTest(pixel_format):
                clip = self.make(f"{pixel_format}.nut", "-c:v", "rawvideo", "-pix_fmt", pixel_format)
                self.check(clip)

    def test_planar_rgb(self):
        self.check(self.make("a.mkv", "-c:v", "utvideo", "-pix_fmt", "gbrp"))

    def odd_clip(self, size, *codec):
        source = ("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25:duration=0.5", "-vf", f"scale={size.replace('x', ':')}")
        return self.make(f"{size}.nut", *codec, "-pix_fmt", "yuv420p", inputs=source)

    def test_odd_sizes(self):
        for size in ("97x63", "65x2", "2x65", "641x359"):
            with self.subTest(size):
                self.check(self.odd_clip(size, "-c:v", "rawvideo"))

    # FFmpeg's FFV1 is not lossless for 4:2:0 of one row.
    def test_one_row(self):
        for size in ("33x1", "1x33", "1x1"):
            with self.subTest(size):
                self.check(self.odd_clip(size, "-c:v", "rawvideo"), codec="rawvideo")

    def test_colour_tags(self):
        for matrix, primaries, transfer, value_range in (("bt709", "bt709", "bt709", "tv"), ("smpte170m", "smpte170m", "smpte170m", "pc"),
                                                         ("bt470bg", "bt470bg", "gamma28", "tv"), ("fcc", "bt470m", "gamma22", "pc")):
            with self.subTest(matrix):
                self.check(self.make(f"{matrix}.mkv", *X264, "-colorspace", matrix, "-color_primaries", primaries, "-color_trc",
                                     transfer, "-color_range", value_range))

    def test_sample_aspect_ratio(self):
        output, _ = self.check(self.make("a.mkv", *X264, "-vf", "setsar=16/11"))
        self.assertEqual(support.styled_stream(output)["sample_aspect_ratio"], "16:11")

    def test_ranks(self):
        clip = self.make("a.mkv", *X264, "-bf", 2, "-c:a", "aac", inputs=SOURCE + SOUND)
        self.check(clip, kinds=("audio",), ranks=3)


class Times(MediaTest):
    def test_variable_rate_with_gaps(self):
        ffmpeg(*SOURCE, "-vf", "select='not(between(n,7,11))*not(mod(n,3)*gt(n,18))',setpts='PTS+0.013/TB*mod(N,4)'", "-fps_mode",
               "passthrough", *X264, "-bf", 2, self.path("vfr.mkv"))
        self.check(self.path("vfr.mkv"))

    def test_fine_ticks(self):
        """60000/1001 frames/s in a time base of 1/60000: Matroska rounds each time on its own."""
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=60000/1001:duration=1", *X264, "-video_track_timescale", 60000,
               self.path("a.mp4"))
        self.check(self.path("a.mp4"), shift_allowed=True)
        output, _ = self.restyle(self.path("a.mp4"), "out.mp4", codec=None)
        self.check_video(self.path("a.mp4"), output, samples=False)

    def test_late_start(self):
        for name in ("late.mkv", "late.ts", "late.mp4"):
            with self.subTest(name):
                ffmpeg(*SOURCE, *SOUND, *X264, "-bf", 2, "-c:a", "aac", "-output_ts_offset", "5.25", self.path(name))
                self.check(self.path(name))

    def test_negative_start(self):
        """MPEG-TS from just before the wrap of its clock: FFmpeg gives times below zero."""
        ffmpeg(*SOURCE, *SOUND, *X264, "-bf", 2, "-c:a", "aac", "-output_ts_offset", "-0.3", "-avoid_negative_ts", "disabled",
               "-muxdelay", 0, "-muxpreload", 0, self.path("early.ts"))
        self.assertLess(min(support.frame_times_s(self.path("early.ts"), 0)), Fraction(-1, 10))
        self.check(self.path("early.ts"), shift_allowed=True)

    def test_edit_list(self):
        test_clip(self.path("whole.mp4"), codec=("libx264", "-g", "12", "-bf", "2"))
        ffmpeg("-ss", 0.7, "-i", self.path("whole.mp4"), "-c", "copy", self.path("edited.mp4"))
        self.check(self.path("edited.mp4"), shift_allowed=True)

    def test_sound_longer_and_earlier_than_the_picture(self):
        ffmpeg("-itsoffset", 0.5, *SOURCE, "-f", "lavfi", "-i", "sine=duration=3", *X264, "-c:a", "aac", self.path("a.mkv"))
        self.check(self.path("a.mkv"), kinds=("audio",))

    def test_part_of_a_video(self):
        clip = test_clip(self.path("clip.mkv"), seconds=3)
        output, _ = self.restyle(clip, "out.mkv", "--start", 1, "--duration", 1)
        times = support.frame_times_s(output, 0)
        self.assertEqual(len(times), 24)
        self.assertLessEqual(max(abs(b - a - Fraction(1, 24)) for a, b in zip(times, times[1:])), Fraction(1, 1000))
        whole = support.decoded(clip, 0).reshape(72, -1)
        self.assertLessEqual(support.largest_difference(support.decoded(output, 0).reshape(24, -1), whole[24:48]), 1)
        sound = [time for _, time in support.packets(output, 1)]
        self.assertGreater(len(sound), 30)
        self.assertLess(abs(sound[0] - times[0]), Fraction(1, 20), "sound and picture start together")

    def test_height(self):
        clip = test_clip(self.path("clip.mkv"), size="320x180")
        output, _ = self.restyle(clip, "out.mkv", "--height", 90)
        stream = support.styled_stream(output)
        self.assertEqual((stream["width"], stream["height"]), (160, 90))
        self.check_times(support.frame_times_s(clip, 0), support.frame_times_s(output, 0), Fraction(1, 1000))

    def test_size_changes_midway(self):
        parts = []
        for number, size in enumerate(("128x72", "64x36")):
            part = self.path(f"{number}.ts")
            ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=0.6", *X264, "-bf", 0, "-output_ts_offset",
                   number * 0.6, "-muxdelay", 0, part)
            parts.append(part.read_bytes())
        self.path("both.ts").write_bytes(b"".join(parts))
        output, finished = self.restyle(self.path("both.ts"))
        self.assertEqual(len(support.frame_times_s(output, 0)), 30)
        self.assertEqual({(s["width"], s["height"]) for s in support.streams(output, "video")}, {(128, 72)})
        self.assertEqual(len([line for line in finished.warnings() if "64x36" in line]), 1, finished.err)


class Pictures(MediaTest):
    def pictures(self, folder, pattern, *arguments):
        self.path(folder).mkdir()
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.4", *arguments, self.path(folder) / pattern)
        return self.path(folder)

    def test_sequence(self):
        folder = self.pictures("frames", "f_%04d.png", "-pix_fmt", "rgb24")
        output, _ = self.restyle(folder / "f_%04d.png")
        self.compare(folder / "f_%04d.png", output)

    def compare(self, pattern, output):
        ffmpeg("-i", pattern, "-f", "rawvideo", "-pix_fmt", "rgb24", self.path("raw"))
        expected = self.path("raw").read_bytes()
        index = support.styled_stream(output)["index"]
        got = support.decoded(output, index, "rgb24")
        self.assertEqual(len(support.frame_times_s(output, index)), 10)
        self.assertEqual(got.size, len(expected))
        self.assertLessEqual(support.largest_difference(got, support.np.frombuffer(expected, dtype="u1")), 1)

    def test_folder(self):
        folder = self.pictures("frames", "f_%04d.png", "-pix_fmt", "rgb24")
        output, _ = self.restyle(folder)
        self.compare(folder / "f_%04d.png", output)

    def test_folder_of_photos_in_the_order_of_their_names(self):
        folder = self.pictures("frames", "f_%04d.jpg", "-q:v", 2)
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(folder / f"IMG {number * 3 + 7:03}.JPG")
        output, _ = self.restyle(folder)
        self.assertEqual(len(support.frame_times_s(output, 0)), 10)

    def test_pictures_in_one_file(self):
        """What `cat *.jpg` makes."""
        folder = self.pictures("frames", "f_%04d.jpg", "-q:v", 2)
        self.path("all.mjpeg").write_bytes(b"".join(path.read_bytes() for path in sorted(folder.iterdir())))
        self.check(self.path("all.mjpeg"))

    def test_one_picture(self):
        folder = self.pictures("frames", "f_%04d.png", "-pix_fmt", "rgb24")
        output, _ = self.restyle(folder / "f_0003.png")
        self.assertEqual(len(support.frame_times_s(output, 0)), 1)


class Others(MediaTest):
    """Streams, chapters and tags beside the picture."""

    def rich_clip(self, name, *arguments):
        self.path("text.srt").write_text("1\n00:00:00,100 --> 00:00:00,600\nHello\n\n2\n00:00:00,700 --> 00:00:01,100\nWorld\n")
        self.path("chapters.txt").write_text(";FFMETADATA1\ntitle=A title\nartist=An artist\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\n"
                                             "END=500\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1200\ntitle=Two\n")
        ffmpeg(*SOURCE, *SOUND, "-f", "lavfi", "-i", "sine=frequency=880:duration=1.2", "-i", self.path("text.srt"), "-i",
               self.path("chapters.txt"), "-map", 0, "-map", 1, "-map", 2, "-map", 3, "-map_metadata", 4, "-map_chapters", 4,
               *X264, "-metadata:s:v:0", "title=Picture", "-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=deu",
               "-metadata:s:s:0", "language=eng", "-disposition:a:1", "default", "-disposition:a:0", "0", *arguments, self.path(name))
        return self.path(name)

    def check_tags(self, source, output):
        before, after = (support.probe(path, "-show_format", "-show_chapters") for path in (source, output))
        self.assertEqual([(Fraction(c["start_time"]), c["tags"]["title"]) for c in after["chapters"]],
                         [(Fraction(c["start_time"]), c["tags"]["title"]) for c in before["chapters"]])
        self.assertEqual(len(after["chapters"]), 2)
        for key in ("title", "artist"):
            tags = {name.lower(): value for name, value in after["format"]["tags"].items()}
            self.assertEqual(tags[key], {"title": "A title", "artist": "An artist"}[key])
        self.assertEqual([s["disposition"]["default"] for s in support.streams(output, "audio")], [0, 1])

    def test_matroska(self):
        clip = self.rich_clip("a.mkv", "-c:a:0", "aac", "-c:a:1", "libvorbis", "-c:s", "srt")
        font = self.path("font.ttf")
        font.write_bytes(bytes(range(256)) * 20)
        ffmpeg("-i", clip, "-map", 0, "-c", "copy", "-attach", font, "-metadata:s:t", "mimetype=application/x-truetype-font",
               self.path("b.mkv"))
        output, _ = self.check(self.path("b.mkv"), kinds=("audio", "subtitle"))
        self.check_tags(self.path("b.mkv"), output)
        attachment = support.streams(output, "attachment")
        self.assertEqual([a["tags"]["filename"] for a in attachment], ["font.ttf"])
        support.run_process(["ffmpeg", "-v", "error", "-y", "-dump_attachment:t:0", self.path("dumped"), "-i", output])
        self.assertEqual(self.path("dumped").read_bytes(), font.read_bytes())

    def test_mp4(self):
        clip = self.rich_clip("a.mp4", "-c:a", "aac", "-c:s", "mov_text")
        output, _ = self.restyle(clip, "out.mp4", codec=None)
        shift = self.check_video(clip, output, samples=False)
        self.check_others(clip, output, ("audio", "subtitle"), shift)
        self.check_tags(clip, output)
        data = output.read_bytes()
        self.assertLess(data.find(b"moov"), data.find(b"mdat"), "faststart")

    def test_container_that_cannot_hold_a_stream(self):
        clip = self.rich_clip("a.mkv", "-c:a", "aac", "-c:s", "srt")
        output, finished = self.restyle(clip, "out.webm", codec=None)
        self.assertEqual(support.styled_stream(output)["codec_name"], "vp9")
        self.assertEqual(support.streams(output, "audio"), [])
        self.assertTrue(any("aac" in line for line in finished.warnings()), finished.err)
        self.check_video(clip, output, samples=False)

    def test_cover_art_is_not_styled(self):
        ffmpeg("-f", "lavfi", "-i", "color=red:size=40x40:duration=1:rate=1", "-frames:v", 1, self.path("cover.png"))
        ffmpeg("-i", self.path("cover.png"), *SOURCE, *SOUND, "-map", 0, "-map", 1, "-map", 2, "-c:v:0", "copy", "-disposition:v:0",
               "attached_pic", "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p", "-c:a", "aac", self.path("a.mp4"))
        _, finished = self.restyle(self.path("a.mp4"), "out.mov", codec=None)
        self.assertEqual(len([line for line in finished.warnings() if "(cover, png) is left out" in line]), 1, finished.err)
        for name in ("out.mp4", "out.mkv"):
            with self.subTest(name):
                output, _ = self.restyle(self.path("a.mp4"), name, codec=None)
                self.check_video(self.path("a.mp4"), output, samples=False, shift_allowed=True)
                covers = [s for s in support.streams(output, "video") if support.is_cover(s)]
                self.assertEqual([(s["width"], s["height"]) for s in covers], [(40, 40)])

    def test_metadata_of_any_name(self):
        tags = {"title": "A title", "comment": "Said", "com.apple.quicktime.make": "A maker", "odd_key": "A value"}
        ffmpeg(*SOURCE, *X264, "-movflags", "use_metadata_tags", *(part for key, value in tags.items()
                                                                 for part in ("-metadata", f"{key}={value}")), self.path("a.mp4"))
        for name in ("out.mp4", "out.mov"):
            with self.subTest(name):
                output, finished = self.restyle(self.path("a.mp4"), name, codec=None)
                found = support.probe(output, "-show_format")["format"]["tags"]
                self.assertEqual({key: found.get(key) for key in tags}, tags)
                self.assertEqual(finished.warnings(), [])

    def test_flac_in_mp4(self):
        ffmpeg(*SOURCE, *SOUND, *X264, "-c:a", "flac", self.path("a.mkv"))
        output, _ = self.restyle(self.path("a.mkv"), "out.mp4", codec=None)
        self.check_others(self.path("a.mkv"), output)

    def test_rotation(self):
        test_clip(self.path("a.mp4"), seconds=1)
        support.turned(self.path("a.mp4"), self.path("turned.mp4"), 270)

        def matrix(path):
            entries = support.styled_stream(path).get("side_data_list", [])
            return [entry["displaymatrix"] for entry in entries if "displaymatrix" in entry]
        self.assertEqual(len(matrix(self.path("turned.mp4"))), 1)
        output, _ = self.restyle(self.path("turned.mp4"), "out.mp4", codec=None)
        self.assertEqual(matrix(output), matrix(self.path("turned.mp4")))
        self.check_video(self.path("turned.mp4"), output, samples=False)

    def test_second_video_stream_is_copied(self):
        ffmpeg(*SOURCE, "-f", "lavfi", "-i", "testsrc=size=96x48:rate=10:duration=1", "-map", 0, "-map", 1, "-c:v", "libx264",
               "-pix_fmt", "yuv420p", self.path("a.mkv"))
        output, _ = self.check(self.path("a.mkv"))
        self.check_packets(self.path("a.mkv"), 1, output, 1)

    def test_hevc_in_mp4_is_hvc1(self):
        clip = test_clip(self.path("a.mkv"), seconds=0.5)
        output, _ = self.restyle(clip, "out.mp4", codec="x265")
        self.assertEqual(support.styled_stream(output)["codec_tag_string"], "hvc1")
        self.check_video(clip, output, samples=False)

    def test_containers(self):
        clip = test_clip(self.path("a.mkv"), seconds=1)
        for name in ("out.mp4", "out.mov", "out.mkv"):
            with self.subTest(name):
                output, _ = self.restyle(clip, name, codec=None)
                self.assertEqual(support.styled_stream(output)["codec_name"], "h264")
                shift = self.check_video(clip, output, samples=False)
                self.check_others(clip, output, ("audio",), shift)


class RealClips(MediaTest):
    def setUp(self):
        super().setUp()
        if not CLIPS.exists():
            self.skipTest(f"no real clips at {CLIPS}")

    def test_bunny(self):
        self.check(CLIPS / "bunny_cut.mp4", kinds=("audio",), shift_allowed=True)

    def test_full_range(self):
        self.check(CLIPS / "bt709_full_range.mp4", shift_allowed=True)

    def test_ten_bit(self):
        self.check(CLIPS / "h265_10bits.mp4", shift_allowed=True)

    def test_several_streams(self):
        output, _ = self.restyle(CLIPS / "nasa_13013.mp4", "out.mp4", codec=None)
        self.check_video(CLIPS / "nasa_13013.mp4", output, samples=False)
        self.check_others(CLIPS / "nasa_13013.mp4", output, ("audio", "subtitle"))
        others = [next(s["index"] for s in support.streams(path, "video") if s["index"] != support.styled_stream(path)["index"])
                  for path in (CLIPS / "nasa_13013.mp4", output)]
        self.check_packets(CLIPS / "nasa_13013.mp4", others[0], output, others[1])

    def test_rotated(self):
        self.check(CLIPS / "nasa_13013_rotated.mp4", shift_allowed=True)


if __name__ == "__main__":
    unittest.main()
