"""Bad input ends in one sentence, exit code 2 and nothing written, on one rank and on three; bad luck in exit code 1."""
import os
import resource
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import support
from support import ROOT, STYLE, SystemTest, atelier, test_clip
from weights import johnson_weights, write_safetensors

RANKS = (1, 3)


class Refused(SystemTest):
    """Exit code 2."""

    def setUp(self):
        super().setUp()
        self.clip = test_clip(self.path("clip.mkv"), seconds=0.5)
        self.out = self.path("out.mkv")

    def check(self, *options, mentions="", ranks=RANKS, **given):
        """given: input and output other than the usual ones; None: left out."""
        for count in ranks:
            with self.subTest(ranks=count, options=options, **given):
                arguments = []
                for name, usual in (("input", self.clip), ("output", self.out)):
                    value = given.get(name, usual)
                    arguments += [f"--{name}", value] if value is not None else []
                before = self.contents()
                finished = atelier("run", *arguments, *options, ranks=count, timeout_s=60)
                self.assert_one_error(finished, 2)
                self.assertIn(str(mentions), finished.errors()[0])
                self.assertEqual(self.contents(), before, "something was written")

    def identity(self, **given):
        self.check("--engine", "identity", **given)

    # ---- the input

    def test_no_such_file(self):
        self.identity(input=self.path("missing.mp4"), mentions="missing.mp4")

    def test_folder_without_pictures(self):
        self.path("folder").mkdir()
        self.identity(input=self.path("folder"), mentions="folder")
        self.path("folder", ).joinpath("notes.txt").write_text("no picture")
        self.identity(input=self.path("folder"), mentions="folder")
        self.path("folder").joinpath("a.png").write_bytes(b"neither")
        self.identity(input=self.path("folder"), mentions="folder")

    def test_empty_file(self):
        self.path("empty.mp4").touch()
        self.identity(input=self.path("empty.mp4"), mentions="empty.mp4")

    def test_text_file(self):
        for name in ("text.mp4", "notes.txt"):
            self.path(name).write_text("This is no video.\n" * 500)
            self.identity(input=self.path(name), mentions=name)

    def test_audio_only(self):
        support.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", self.path("sound.m4a"))
        self.identity(input=self.path("sound.m4a"), mentions="sound.m4a")

    def test_sound_with_cover_art_only(self):
        Image.new("RGB", (64, 64), "red").save(self.path("cover.png"))
        support.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", "-i", self.path("cover.png"), "-map", "0", "-map", "1",
                       "-c:v", "copy", "-disposition:v", "attached_pic", self.path("song.m4a"))
        self.identity(input=self.path("song.m4a"), mentions="song.m4a")

    def test_playlists(self):
        lists = {"list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{self.clip}\n#EXT-X-ENDLIST\n",
                 "list.ffconcat": f"ffconcat version 1.0\nfile {self.clip.name}\n",
                 "list.mp4": f"ffconcat version 1.0\nfile {self.clip.name}\n",
                 "list.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>\n'}
        for name, text in lists.items():
            self.path(name).write_text(text)
            self.identity(input=self.path(name), mentions=name)

    def test_protocols(self):
        for address in (f"concat:{self.clip}|{self.clip}", "http://localhost:1/clip.mp4", f"subfile,,start,0,end,0,,:{self.clip}",
                        "data:video/mp4;base64,AAAA", f"file:{self.path('missing.mp4')}", "pipe:0", "tcp://localhost:1",
                        f"crypto:{self.clip}", f"cache:{self.clip}"):
            self.identity(input=address, ranks=(1,))
        self.identity(input="http://localhost:1/clip.mp4", ranks=(3,))

    def test_cut_before_its_index(self):
        whole = test_clip(self.path("whole.mp4"))
        self.path("cut.mp4").write_bytes(whole.read_bytes()[:2000])
        self.identity(input=self.path("cut.mp4"), mentions="cut.mp4")

    # ---- the style picture

    def test_style_that_is_no_picture(self):
        self.path("style.jpg").write_text("no picture" * 100)
        self.check("--style", self.path("style.jpg"), mentions="style.jpg")
        self.path("empty.jpg").touch()
        self.check("--style", self.path("empty.jpg"), mentions="empty.jpg", ranks=(1,))
        self.check("--style", self.path("missing.jpg"), mentions="missing.jpg")
        self.check("--style", self.folder, ranks=(1,))

    def test_style_that_is_a_video(self):
        self.check("--style", self.clip, mentions="it is a video")

    def test_style_too_large(self):
        Image.new("1", (16385, 2)).save(self.path("wide.png"))
        Image.new("1", (2, 16385)).save(self.path("high.png"))
        self.check("--style", self.path("wide.png"), mentions="16384")
        self.check("--style", self.path("high.png"), mentions="16384", ranks=(1,))

    def test_style_missing(self):
        self.check(mentions="--style")

    # ---- the weights

    def weights(self):
        return (ROOT / "weights" / "adaptive.safetensors").read_bytes()

    def test_weights_cut(self):
        self.path("cut.safetensors").write_bytes(self.weights()[:-1000])
        self.check("--style", STYLE, "--model", self.path("cut.safetensors"), mentions="cut.safetensors")
        self.path("head.safetensors").write_bytes(self.weights()[:100])
        self.check("--style", STYLE, "--model", self.path("head.safetensors"), mentions="head.safetensors", ranks=(1,))
        self.path("none.safetensors").touch()
        self.check("--style", STYLE, "--model", self.path("none.safetensors"), mentions="none.safetensors", ranks=(1,))

    def test_weights_that_are_none(self):
        self.path("text.safetensors").write_text("weights" * 1000)
        self.check("--style", STYLE, "--model", self.path("text.safetensors"), mentions="text.safetensors")
        self.check("--style", STYLE, "--model", self.path("missing.safetensors"), mentions="missing.safetensors", ranks=(1,))

    def test_weights_of_another_network(self):
        self.path("other.safetensors").write_bytes(b"")
        write_safetensors(self.path("other.safetensors"), {"layer.weight": np.zeros((3, 3)), "layer.bias": np.zeros(3)})
        self.check("--style", STYLE, "--model", self.path("other.safetensors"), mentions="other.safetensors")
        self.check("--engine", "feedforward", "--model", self.path("other.safetensors"), mentions="other.safetensors")
        adaptive = ROOT / "weights" / "adaptive.safetensors"
        self.check("--engine", "feedforward", "--model", adaptive, mentions=adaptive.name, ranks=(1,))
        johnson = johnson_weights(self.path("johnson.safetensors"))
        self.check("--style", STYLE, "--model", johnson, mentions=johnson.name, ranks=(1,))

    def test_feedforward_without_weights(self):
        self.check("--engine", "feedforward", mentions="--model")

    # ---- the options

    def test_unknown_options(self):
        self.check("--engine", "identity", "--no-such-option", "3", mentions="no-such-option")
        self.check("--engine", "no-such-engine", mentions="no-such-engine")
        for name, value in (("height", "tall"), ("height", "-2"), ("chunk-frames", "0"), ("duration", "soon"), ("duration", "-1"),
                            ("strength", "1.5"), ("codec", "no-such-codec"),
                            ("preset", "no-such-preset"), ("device", "abacus"), ("precision", "fp7"), ("crf", "good"),
                            ("encoder-options", "no-such-key=1"), ("progress", "loud"), ("decode", "moon")):
            self.check("--engine", "identity", f"--{name}={value}", mentions=name, ranks=(1,))
        self.check("--engine", "identity", "--pixel-format", "no-such-format", mentions="no-such-format", ranks=(1,))

    def test_contradicting_options(self):
        self.check("--engine", "identity", "--preview", "0", "--dry-run", ranks=(1,))
        self.check("--style", STYLE, "--style-weights", "0.5,0.5", mentions="style-weights")
        self.check("--engine", "identity", "--codec", "x264", "--codec", "ffv1", mentions="codec", ranks=(1,))
        self.check("--engine", "identity", "--codec", "ffv1", output=self.path("out.webm"), ranks=(1,))
        self.check("--engine", "identity", "--start", "1000", mentions="1000", ranks=(1,))

    def test_no_time_at_all(self):
        for option in ("--duration", "--max-time"):
            self.check("--engine", "identity", option, "0", mentions=option, ranks=(1,))

    def test_quality_of_a_lossless_codec(self):
        self.check("--engine", "identity", "--codec", "ffv1", "--crf", "10", mentions="lossless", ranks=(1,))

    def test_times_past_the_end(self):
        for option, output in (("--start", self.out), ("--preview", self.path("out.png"))):
            self.check("--engine", "identity", option, "100", output=output, mentions=f"Choose an earlier {option}")

    def test_missing_options(self):
        self.identity(input=None, mentions="--input")
        self.identity(output=None, mentions="--output")

    def test_config_file_that_is_none(self):
        self.check("--config", self.path("missing.cfg"), mentions="missing.cfg")
        self.check("--config", self.folder, mentions="it is a folder", ranks=(1,))
        self.check("--config", self.clip, mentions="no text file", ranks=(1,))
        self.path("bad.cfg").write_text("no-such-option = 3\n")
        self.check("--config", self.path("bad.cfg"), mentions="no-such-option", ranks=(1,))

    def test_unknown_commands(self):
        for arguments in (("paint",), ("report",)):
            self.assert_one_error(atelier(*arguments, timeout_s=30), 2)
        alone = atelier(timeout_s=30)
        self.assertEqual(alone.code, 2)
        self.assertIn("usage: atelier COMMAND", alone.out + alone.err)

    def test_no_gpu(self):
        self.check("--style", STYLE, "--device", "cuda", mentions="cuda")

    # ---- the output

    def test_output_is_input(self):
        self.identity(output=self.clip, mentions="clip.mkv")
        self.check("--engine", "identity", "--overwrite", output=self.clip, mentions="clip.mkv")
        os.symlink(self.clip, self.path("link.mkv"))
        self.check("--engine", "identity", "--overwrite", output=self.path("link.mkv"), ranks=(1,))
        os.link(self.clip, self.path("hard.mkv"))
        self.check("--engine", "identity", "--overwrite", output=self.path("hard.mkv"), ranks=(1,))

    def test_other_files_that_are_read(self):
        """Neither the record nor a preview may take the place of what is read."""
        self.check("--engine", "identity", "--record", self.clip, mentions="--record and --input are the same file")
        self.check("--engine", "identity", "--record", self.out, mentions="--record and --output", ranks=(1,))
        Image.new("RGB", (64, 64), "red").save(self.path("style.png"))
        for other in ("style.png", "clip.mkv"):
            self.check("--style", self.path("style.png"), "--preview", "0", "--overwrite", output=self.path(other),
                       mentions=other, ranks=(1,))
        self.check("--engine", "identity", "--preview", "0", mentions="Let the name end in .png", ranks=(1,))
        self.check("--engine", "identity", "--preview", "0", output=self.path("no/such.png"), ranks=(1,))

    def test_stage_folder(self):
        for folder in ("missing", "clip.mkv"):
            self.check("--engine", "identity", "--stage-dir", self.path(folder), mentions="--stage-dir", ranks=(1,))

    def test_output_folder(self):
        self.identity(output=self.path("no/such/out.mkv"), mentions="out.mkv")
        self.path("a_folder.mkv").mkdir()
        self.identity(output=self.path("a_folder.mkv"), mentions="a_folder.mkv", ranks=(1,))
        self.identity(output=self.clip / "out.mkv", ranks=(1,))
        if os.geteuid() == 0:
            self.identity(output="/proc/out.mkv", mentions="/proc")  # root may write everywhere else
        else:
            self.path("locked").mkdir(mode=0o555)
            self.identity(output=self.path("locked/out.mkv"), mentions="locked")

    def test_output_exists(self):
        self.out.write_text("precious")
        self.identity(mentions="--overwrite")
        self.assertEqual(self.out.read_text(), "precious")

    def test_output_of_unknown_kind(self):
        for name in ("out.xyz", "out"):
            self.identity(output=self.path(name), mentions=name, ranks=(1,))

    def test_record_and_log_that_cannot_be_written(self):
        self.check("--engine", "identity", "--record", self.path("no/such/job.h5"), mentions="job.h5")
        self.check("--engine", "identity", "--log-dir", self.clip / "logs", ranks=(1,))

    # ---- the launch

    def test_every_process_a_root(self):
        for env in ({"SLURM_NTASKS": "4"}, {"SLURM_NTASKS": "4", "SLURM_PROCID": "1", "SLURM_STEP_ID": "0"},
                    {"PMI_SIZE": "4", "PMI_RANK": "1"}):
            with self.subTest(env=env):
                before = self.contents()
                finished = atelier("run", "--input", self.clip, "--output", self.out, "--engine", "identity", env=env,
                                   timeout_s=60)
                self.assert_one_error(finished, 2)
                self.assertIn("one rank where 4 were asked for", finished.err)
                self.assertEqual(self.contents(), before)


class Works(SystemTest):
    """Strange but good input: exit code 0."""

    def test_strange_style_pictures(self):
        clip = test_clip(self.path("clip.mkv"), seconds=0.2)
        noise = np.random.default_rng(5).integers(0, 256, (64, 80, 4), dtype=np.uint8)
        pictures = {"grey.png": Image.fromarray(noise[..., 0]), "cmyk.jpg": Image.frombytes("CMYK", (80, 64), noise.tobytes()),
                    "sixteen.png": Image.fromarray(noise[..., 0].astype(np.uint16) * 257),
                    "clear.png": Image.frombytes("RGBA", (80, 64), noise.tobytes()), "palette.gif": Image.fromarray(noise[..., 0]).convert("P"),
                    "dot.png": Image.new("RGB", (1, 1), (200, 30, 90)), "line.png": Image.new("RGB", (300, 1), "blue")}
        for name, picture in pictures.items():
            with self.subTest(style=name):
                picture.save(self.path(name))
                output = self.path(name + ".mkv")
                self.run_done("--input", clip, "--output", output, "--style", self.path(name))
                self.assertEqual(len(support.frame_times_s(output, 0)), len(support.frame_times_s(clip, 0)))

    def test_damaged_video(self):
        """The same file on any number of ranks, and one line that counts the damage and names the first."""
        clip = test_clip(self.path("clip.mkv"), seconds=4, size="320x180", sound=False)
        data = bytearray(clip.read_bytes())
        random = np.random.default_rng(3)
        for place in (0.35, 0.5, 0.65):
            start = int(len(data) * place)
            data[start:start + 40] = random.integers(0, 256, 40, dtype=np.uint8).tobytes()
        self.path("damaged.mkv").write_bytes(data)
        outputs = []
        for count in RANKS:
            output = self.path(f"out{count}.mkv")
            finished = self.run_done("--input", self.path("damaged.mkv"), "--output", output, "--engine", "identity",
                                     "--codec", "ffv1", "--chunk-frames", 12, ranks=count)
            damage = [line for line in finished.warnings() if "damaged" in line]
            self.assertEqual(len(damage), 1, finished.err)
            self.assertRegex(damage[0], r"damaged in \d+ places? \(first: near \d+\.\d+ s")
            outputs.append(output.read_bytes())
        self.assertGreater(len(support.frame_times_s(self.path("out1.mkv"), 0)), 30)
        self.assertEqual(outputs[0] == outputs[1], True, "damage must not make the result random")

    def test_overwrite(self):
        clip = test_clip(self.path("clip.mkv"), seconds=0.5)
        self.path("out.mkv").write_text("old")
        self.run_done("--input", clip, "--output", self.path("out.mkv"), "--engine", "identity", "--overwrite")
        self.assertGreater(len(support.frame_times_s(self.path("out.mkv"), 0)), 5)

    def test_names_with_odd_characters(self):
        name = "a 50% 'clip' %04d [é].mkv"
        clip = test_clip(self.path("plain.mkv"), seconds=0.5).rename(self.path(name))
        output = self.path("out %d é.mp4")
        self.run_done("--input", clip, "--output", output, "--engine", "identity")
        self.assertGreater(len(support.frame_times_s(output, 0)), 5)


class Failed(SystemTest):
    """Bad luck: exit code 1, a sentence, no file under the final name, nothing left beside it but the status."""

    def check_full(self, output, *options, **more):
        before = {path.name for path in output.parent.iterdir()}
        finished = atelier("run", "--input", self.path("clip.mkv"), "--output", output, "--engine", "identity",
                           "--chunk-frames", 6, *(options or ("--codec", "ffv1")), timeout_s=60, **more)
        self.assert_one_error(finished, 1)
        work = f"{output.name}.atelier"
        # A full disk may have no room for the status.
        left = {path.name for path in output.parent.iterdir()} - {support.status_name(output)}
        self.assertEqual(left, before - {support.status_name(output)} | {work})
        return finished

    def test_file_size_limit(self):
        """Every write past 200 kB fails, where SIGXFSZ would end a process that does not expect it."""
        test_clip(self.path("clip.mkv"), size="320x180")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        for name, options in (("out.mkv", ()), ("out.mp4", ("--crf", 1))):
            with self.subTest(name=name):
                failed = self.check_full(self.path(name), *options, preexec_fn=limit)
                self.assertIn("'ulimit -f' allows 195.3 KiB a file", failed.errors()[0])
                self.assertIn("run the same command again", failed.errors()[0])
                again = self.run_done("--input", self.path("clip.mkv"), "--output", self.path(name), "--engine", "identity",
                                      "--chunk-frames", 6, *(options or ("--codec", "ffv1")))
                self.assertIn("goes on from an earlier start", again.err)
                self.path(name).unlink()

    def test_killed_ranks(self):
        """A rank that dies ends the job in seconds, whichever it is."""
        clip = test_clip(self.path("clip.mkv"), seconds=20, size="640x360", sound=False)
        for victim in (0, 1, 2):
            with self.subTest(victim=victim):
                output = self.path(f"out{victim}.mkv")
                record = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
                job = subprocess.Popen([*support.MPIRUN, "-n", "3", support.program(), "run", "--input", clip, "--output", output,
                                        "--style", STYLE, "--log-dir", self.path("logs")], env=support.clean_environment(),
                                       start_new_session=True, **record)
                try:
                    process = self.wait_for_rank(job.pid, victim)
                    self.wait_for_frames()
                    self.assertIsNone(job.poll(), "the job ended before a rank was killed: a longer clip is needed")
                    os.kill(process, signal.SIGKILL)
                    job.communicate(timeout=20)
                finally:
                    if job.poll() is None:
                        os.killpg(job.pid, signal.SIGKILL)
                        job.communicate()
                self.assertNotEqual(job.returncode, 0)
                self.assertFalse(output.exists())
                self.assertFalse(Path(f"/proc/{process}").exists())
                shutil.rmtree(self.path("logs"))

    def wait_for_rank(self, mpirun, rank):
        """Process id of a rank of this mpirun."""
        for _ in range(600):
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    variables = (entry / "environ").read_bytes().split(b"\0")
                except (OSError, IndexError):
                    continue
                if parent == mpirun and f"OMPI_COMM_WORLD_RANK={rank}".encode() in variables:
                    return int(entry.name)
            time.sleep(0.1)
        self.fail("the ranks do not start")

    def wait_for_frames(self):
        """Until all ranks have logs and are, most likely, at work."""
        for _ in range(600):
            if self.path("logs").exists() and len(list(self.path("logs").iterdir())) == 3:
                time.sleep(1)
                return
            time.sleep(0.1)
        self.fail("no logs")

    def mounted(self, name, size):
        folder = self.path(name)
        folder.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True).returncode:
            self.skipTest("a small file system cannot be mounted here (needs root)")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        return folder

    def test_disk_full(self):
        test_clip(self.path("clip.mkv"), size="320x180")
        disk = self.mounted("disk", "300k")
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                self.check_full(disk / "out.mkv", ranks=ranks)

    def test_too_little_space(self):
        """Known from the sizes that an MP4 tells: nothing begins."""
        clip = self.path("long.mp4")
        support.ffmpeg("-f", "lavfi", "-i", "color=gray:s=64x48:r=5:d=60", "-f", "lavfi", "-i", "anoisesrc=d=60",
                       "-c:v", "libx264", "-c:a", "aac", "-b:a", "128k", clip)
        disk = self.mounted("disk", "600k")
        self.path("result").mkdir()
        arguments = ("run", "--input", clip, "--engine", "identity", "--record", self.path("record.h5"))
        for name, ranks, output, options in (("scratch", 3, self.path("result") / "out.mkv", ("--stage-dir", disk)),
                                             ("output", 1, disk / "out.mkv", ()),
                                             ("both", 1, disk / "out.mkv", ("--stage-dir", disk))):
            with self.subTest(small=name):
                finished = atelier(*arguments, "--output", output, *options, ranks=ranks, timeout_s=60)
                self.assert_one_error(finished, 2)
                for part in (f"'{disk}'", "600.0 KiB free", "are needed", "hoose another folder"):
                    self.assertIn(part, finished.errors()[0])
                self.assertEqual("twice" in finished.errors()[0], name == "both")
                self.assertEqual([*disk.iterdir(), *self.path("result").iterdir()], [])
                self.assertFalse(self.path("record.h5").exists())
        # 10 s of the sound fit.
        finished = atelier(*arguments, "--output", disk / "out.mkv", "--duration", 10)
        self.assertEqual(finished.code, 0, finished.err)

    def test_perhaps_too_little_space(self):
        """A warning: the input is larger, but that is no measure of the output."""
        support.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=24:d=1", "-c:v", "rawvideo", self.path("big.mkv"))
        disk = self.mounted("scratch", "800k")
        finished = atelier("run", "--input", self.path("big.mkv"), "--output", self.path("out.mp4"), "--engine", "identity",
                           "--preset", "ultrafast", "--crf", 40, "--stage-dir", disk)
        self.assertEqual(finished.code, 0, finished.err)
        self.assertEqual(len(finished.warnings()), 1, finished.err)
        self.assertIn("may be too small for the output", finished.warnings()[0])

    def test_scratch_full(self):
        test_clip(self.path("clip.mkv"), size="320x180")
        disk = self.mounted("scratch", "300k")
        self.path("result").mkdir()
        self.check_full(self.path("result") / "out.mkv", env={"TMPDIR": str(disk)})
        self.assertEqual(list(Path(disk).iterdir()), [])


if __name__ == "__main__":
    unittest.main()
