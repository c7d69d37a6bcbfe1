"""The same output file, byte for byte, on any number of ranks. All comparisons are exact."""
import itertools
import os
import random
import unittest
from pathlib import Path

import h5py
import support
from support import CLIPS, ROOT, STYLE, SystemTest, test_clip
from weights import johnson_weights

RANKS = (1, 2, 3, 5)
ADAPTIVE = ROOT / "weights" / "adaptive.safetensors"


class Bits(SystemTest):
    def clip(self):
        return test_clip(self.path("clip.mp4"), seconds=3, size="320x180")

    def check(self, name, *options, ranks=RANKS, chunk_frames=12, height=96, min_frames=40, clip=None):
        """Runs on each number of ranks and compares with one rank."""
        reference = None
        clip = clip or self.clip()
        for count in ranks:
            output = self.path(f"ranks{count}") / name
            output.parent.mkdir(exist_ok=True)
            done = self.run_done("--input", clip, "--output", output, "--height", height, "--duration", 2,
                                 "--chunk-frames", chunk_frames, *options, ranks=count, timeout_s=240)
            self.assertEqual([line for line in done.err.splitlines() if not line.startswith("atelier: ")], [])
            self.assertEqual({path.name for path in output.parent.iterdir()}, {name, support.status_name(name)})
            data = output.read_bytes()
            if reference is None:
                reference = data
                num_frames = len(support.frame_times_s(output, support.styled_stream(output)["index"]))
                self.assertGreaterEqual(num_frames, min_frames)
            self.assertEqual(data == reference, True, f"{name} on {count} ranks differs from {ranks[0]}: "
                             f"{len(data)} and {len(reference)} bytes")
        return reference

    def test_identity_ffv1(self):
        self.check("identity.mkv", "--engine", "identity", "--codec", "ffv1")

    def test_identity_x264(self):
        self.check("identity.mp4", "--engine", "identity")

    def test_encoding_at_root_or_workers(self):
        options = ("--engine", "identity", "--codec", "x264")
        at_root = self.check("encode.mp4", *options, "--encode", "root", ranks=(1, 3))
        at_workers = self.check("encode.mp4", *options, "--encode", "workers", "--overwrite")
        self.assertEqual(at_root == at_workers, True)

    def test_decoding_and_encoding_anywhere(self):
        """Every --decode x --encode x number of ranks x two lengths of chunks, each length with itself."""
        clip = test_clip(self.path("clip.mp4"), seconds=4, size="128x72",
                         codec=("libx264", "-g", "15", "-bf", "3", "-x264-params", "open-gop=1:b-pyramid=normal"))
        for chunk_frames in (7, 48):
            outputs = {}
            for decode, encode, ranks in itertools.product(("root", "workers"), ("root", "workers"), RANKS):
                name = f"{chunk_frames}-{decode}-{encode}-{ranks}"
                output, record = self.path(name + ".mp4"), self.path(name + ".h5")
                self.run_done("--input", clip, "--output", output, "--engine", "identity", "--chunk-frames", chunk_frames,
                              "--decode", decode, "--encode", encode, "--record", record, ranks=ranks)
                self.assertEqual(support.attribute(record, "decode_at"), decode)
                self.assertEqual(support.events(record, "decode"), [])
                outputs[name] = output.read_bytes()
            self.assertEqual({name: len(data) for name, data in outputs.items()
                              if data != outputs[f"{chunk_frames}-root-root-1"]}, {})

    def test_ranks_without_a_gpu_help_to_encode(self):
        """Slow encoders beside a quick engine: who encodes a chunk changes nothing, damaged clips included."""
        whole = test_clip(self.path("whole.mp4"), seconds=6, size="320x180",
                          codec=("libx264", "-g", "15", "-bf", "3"))
        damaged = self.path("damaged.mp4")
        data = bytearray(whole.read_bytes())
        for at in range(len(data) // 2, len(data) // 2 + 20):
            data[at] ^= 0x5a
        damaged.write_bytes(data)
        for clip in (whole, damaged):
            outputs = {}
            for decode, gpus, ranks in (("root", 0, 1), ("root", 1, 3), ("root", 2, 5), ("workers", 1, 3), ("workers", 2, 5)):
                name = f"{clip.stem}-{decode}-{gpus}-{ranks}"
                output, record = self.path(name + ".mkv"), self.path(name + ".h5")
                self.run_done("--input", clip, "--output", output, "--engine", "simulated", "--simulated-ms", 1,
                              "--simulated-gpus", gpus, "--preset", "slower", "--chunk-frames", 6, "--decode", decode,
                              "--record", record, ranks=ranks)
                outputs[name] = output.read_bytes()
                with h5py.File(record) as file:
                    roles = [row["role"].decode() for row in file["ranks"]]
                    encoded_by = set(file["chunks"]["encode_rank"])
                    styled = dict(zip(file["ranks"]["rank"], file["ranks"]["num_frames"]))
                helpers = [rank for rank, role in enumerate(roles) if role == "encoder"]
                if gpus:
                    self.assertEqual(helpers, list(range(gpus + 1, ranks)))
                    self.assertTrue(encoded_by & set(helpers), f"{name}: encoded by {encoded_by}")
                    self.assertEqual([styled[rank] for rank in helpers], [0] * len(helpers))
            self.assertEqual(len(set(outputs.values())), 1, {name: len(data) for name, data in outputs.items()})

    def test_a_rank_without_work_is_refused(self):
        clip = test_clip(self.path("clip.mp4"), seconds=1, size="64x48")
        done = support.atelier("run", "--input", clip, "--output", self.path("o.mp4"), "--engine", "simulated",
                                "--simulated-gpus", 1, "--encode", "root", ranks=3)
        self.assertEqual(done.code, 2)
        self.assertIn("rank 2 on", done.err)
        self.assertIn("has no GPU of its own", done.err)

    def test_decoding_at_workers_of_every_codec(self):
        codecs = {"hevc.mkv": ("libx265", "-x265-params", "keyint=15:open-gop=1:log-level=none"),
                  "mpeg2.ts": ("mpeg2video", "-g", "12", "-bf", "2"),
                  "vp9.webm": ("libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "20"),
                  "prores.mov": ("prores_ks", "-pix_fmt", "yuv422p10le"),
                  "ffv1.mkv": ("ffv1", "-g", "10")}
        for name, codec in codecs.items():
            with self.subTest(name):
                clip = test_clip(self.path(name), seconds=3, size="96x64", sound=False, codec=codec)
                outputs = []
                for decode in ("root", "workers"):
                    output, record = self.path(f"{name}-{decode}.mkv"), self.path(f"{name}-{decode}.h5")
                    done = self.run_done("--input", clip, "--output", output, "--engine", "identity", "--codec", "ffv1",
                                         "--chunk-frames", 10, "--decode", decode, "--record", record)
                    self.assertEqual(support.events(record, "decode"), [], done.err)
                    outputs.append(output.read_bytes())
                self.assertEqual(support.attribute(record, "decode_at"), "workers")
                self.assertEqual(outputs[0] == outputs[1], True)

    def test_damage_is_decoded_at_the_root(self):
        """Damage at any place: the file of --decode root, whatever workers made of the rest."""
        clips = {"a.mp4": ("libx264", "-g", "15", "-bf", "3"), "a.ts": ("mpeg2video", "-g", "12", "-bf", "2")}
        num_left_to_root = 0
        for name, codec in clips.items():
            whole = test_clip(self.path(name), seconds=4, size="160x96", sound=False, codec=codec).read_bytes()
            for place in (2, 4, 6):
                with self.subTest(f"{name} at {place}/8"):
                    data = bytearray(whole)
                    at = len(data) * place // 8
                    data[at:at + 400] = bytes(random.Random(place).randrange(256) for _ in range(400))
                    clip = self.path("bad-" + name)
                    clip.write_bytes(data)
                    outputs = []
                    for decode in ("root", "workers"):
                        output, record = self.path(decode + ".mkv"), self.path(decode + ".h5")
                        done = self.run_done("--input", clip, "--output", output, "--engine", "identity", "--codec", "ffv1",
                                             "--chunk-frames", 10, "--decode", decode, "--record", record, "--overwrite",
                                             ranks=3 if place == 4 and decode == "workers" else 1)
                        outputs.append(output.read_bytes())
                    self.assertEqual(outputs[0] == outputs[1], True, done.err)
                    num_left_to_root += len(support.events(record, "decode"))
        self.assertGreaterEqual(num_left_to_root, 3)

    def test_flipped_bits_of_hevc(self):
        """FFmpeg's decoder passes over most of them. ATELIER_TEST_FLIPS: how many of each clip."""
        num_flips = int(os.environ.get("ATELIER_TEST_FLIPS", "2"))
        num_silent = 0
        for name, options in (("open", "keyint=5:scenecut=0:bframes=3"), ("slices", "keyint=5:slices=3:ctu=16:open-gop=0")):
            clip = test_clip(self.path(f"{name}.mp4"), seconds=2, size="128x72", sound=False,
                             codec=("libx265", "-x265-params", options + ":log-level=none"))
            sound = clip.read_bytes()
            places = [(int(packet["pos"]), int(packet["size"])) for packet in
                      support.probe(clip, "-select_streams", "v", "-show_packets")["packets"]]
            dice = random.Random(7)
            for flip in range(num_flips):
                pos, size = dice.choice(places[1:])
                data = bytearray(sound)
                data[pos + dice.randrange(size // 2, size)] ^= 1 << dice.randrange(8)
                bad = self.path("bad.mp4")
                bad.write_bytes(data)
                outputs = {}
                for decode, ranks in (("root", 1), ("workers", 1), ("auto", 2), ("auto", 3), ("workers", 3)):
                    output, record = self.path("out.mkv"), self.path("out.h5")
                    done = self.run_done("--input", bad, "--output", output, "--engine", "identity", "--codec", "ffv1",
                                         "--chunk-frames", 10, "--decode", decode, "--record", record, "--overwrite",
                                         ranks=ranks)
                    outputs[decode, ranks] = output.read_bytes()
                    if ranks == 3:
                        self.assertTrue(support.attribute(record, "decode_at") == "workers" or
                                        support.events(record, "decode"), done.err)
                num_silent += "is damaged" not in done.err
                self.assertEqual(len(set(outputs.values())), 1,
                                 f"{name}, flip {flip}: {[(key, len(data)) for key, data in outputs.items()]}")
        print(f"{2 * num_flips} flips, {num_silent} of them passed over", flush=True)

    def test_what_packets_do_not_tell_is_decoded_at_the_root(self):
        clip = test_clip(self.path("clip.h264"), sound=False)
        outputs = []
        for decode, num_warnings in (("root", 0), ("auto", 0), ("workers", 1)):
            output = self.path(decode + ".mkv")
            done = self.run_done("--input", clip, "--output", output, "--engine", "identity", "--decode", decode, ranks=3)
            self.assertEqual(len(done.warnings()), num_warnings, done.err)
            outputs.append(output.read_bytes())
        self.assertIn("decoding happens at the root, not at the workers (its packets have no times)", done.err)
        self.assertEqual(outputs[0] == outputs[1] == outputs[2], True)

    def test_auto_decodes_where_keyframes_say(self):
        hevc = ("libx265", "-x265-params", "keyint=12:scenecut=0:log-level=none")
        for name, codec, where in (("near", ("libx264", "-g", "12", "-sc_threshold", "0"), "workers"),
                                   ("far", ("libx264", "-g", "250", "-sc_threshold", "0"), "root"),
                                   ("hevc", hevc, "workers")):
            clip = test_clip(self.path(f"{name}.mp4"), seconds=8, size="64x48", sound=False, codec=codec)
            for ranks in (1, 3):
                plan = support.atelier("run", "--input", clip, "--output", self.path("out.mp4"), "--engine", "identity",
                                       "--dry-run", ranks=ranks)
                self.assert_done(plan)
                self.assertIn("decode:  at the " + (where if ranks > 1 else "root"), plan.out)

    def test_what_frames_carry_at_root_or_workers(self):
        clip = test_clip(self.path("plain.h264"), seconds=2, size="128x96", sound=False,
                         codec=("libx264", "-g", "5", "-bf", "0"))
        marked = self.path("marked.h264")
        support.ffmpeg("-i", clip, "-c", "copy", "-bsf:v",
                       "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+a mark of a frame", marked)
        marks = marked.read_bytes().count(b"a mark of a frame")
        self.assertGreater(marks, 5)
        outputs = []
        for ranks, encode in ((1, "root"), (3, "root"), (3, "workers")):
            output = self.path(f"{ranks}-{encode}.mkv")
            done = self.run_done("--input", marked, "--output", output, "--engine", "identity", "--chunk-frames", 12,
                                 "--encode", encode, ranks=ranks)
            self.assertEqual(done.warnings(), [])
            outputs.append(output.read_bytes())
        self.assertEqual(outputs[0].count(b"a mark of a frame"), marks)
        self.assertEqual(outputs[0] == outputs[1] == outputs[2], True)

    def test_feedforward(self):
        weights = johnson_weights(self.path("johnson.safetensors"))
        self.check("feedforward.mkv", "--engine", "feedforward", "--model", weights)

    def test_adaptive(self):
        self.assertTrue(ADAPTIVE.exists(), "the weights that ship with the program")
        self.check("adaptive.mp4", "--style", STYLE)

    def test_a_real_clip(self):
        clip = CLIPS / "bunny_cut.mp4"
        if not clip.exists():
            self.skipTest(f"no real clip at {clip}")
        self.check("real.mp4", "--engine", "identity", ranks=(1, 3), clip=clip)

    def test_adaptive_strength_and_two_styles(self):
        self.check("blend.mkv", "--style", STYLE, "--style", ROOT / "styles" / "ink-wash.jpg", "--style-weights",
                   "0.7,0.3", "--strength", "0.6", "--codec", "ffv1", ranks=(1, 3))

    def test_more_ranks_than_chunks(self):
        self.check("one_chunk.mkv", "--engine", "identity", "--codec", "ffv1", chunk_frames=1000, ranks=(1, 5))

    def test_more_chunks_than_a_window(self):
        self.check("many.mkv", "--engine", "identity", "--codec", "ffv1", chunk_frames=1, ranks=(1, 3))

    def test_chunk_length_does_not_change_lossless_frames(self):
        clip = self.clip()
        samples = []
        for chunk_frames in (7, 48):
            output = self.path(f"length{chunk_frames}.mkv")
            self.run_done("--input", clip, "--output", output, "--height", 96, "--duration", 2, "--chunk-frames",
                          chunk_frames, "--style", STYLE, "--codec", "ffv1")
            samples.append(support.decoded(output, support.styled_stream(output)["index"]))
        self.assertGreater(samples[0].size, 0)
        self.assertTrue((samples[0] == samples[1]).all())

    def test_styles_differ(self):
        """That the comparisons above look at styled frames: another picture gives another file."""
        outputs = []
        for style in (STYLE, ROOT / "styles" / "ink-wash.jpg"):
            output = self.path(Path(style).stem + ".mkv")
            self.run_done("--input", self.clip(), "--output", output, "--height", 96, "--duration", 0.5, "--style", style)
            outputs.append(output.read_bytes())
        self.assertNotEqual(outputs[0], outputs[1])


if __name__ == "__main__":
    unittest.main()
