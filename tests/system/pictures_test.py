"""Folders and patterns of pictures, single pictures, and pictures as styles: in order, upright, by their content.

Tolerances are stated where samples are compared; what one program gives twice is compared byte for byte.
"""
import os
import signal
import time
import unittest

import numpy as np
from PIL import Image

import support
from support import SystemTest, ffmpeg, test_clip

ORIENTATION = 0x112  # of EXIF


class PicturesTest(SystemTest):
    def restyle(self, source, *options, name="out.mkv", **more):
        output = self.path(name)
        return output, self.run_done("--input", source, "--output", output, "--engine", "identity", "--codec", "ffv1",
                                     "--overwrite", *options, **more)

    def frames(self, path, pixel_format="rgb24"):
        stream = support.styled_stream(path)
        samples = support.decoded(path, stream["index"], pixel_format)
        return samples.reshape(-1, stream["height"], stream["width"], 3 if pixel_format == "rgb24" else 1).astype(int)

    def flat_pictures(self, folder, numbers, name="frame{}.png"):
        """Grey pictures, each ten codes a number bright."""
        self.path(folder).mkdir()
        for number in numbers:
            Image.new("L", (64, 48), 10 * number).save(self.path(folder) / name.format(number))

    def shown_numbers(self, path):
        """From the middle: a picture of another shape has borders."""
        return [int(round(frame[12:36, 24:40].mean() / 10)) for frame in self.frames(path, "gray")]


class Folders(PicturesTest):
    def test_natural_order(self):
        self.flat_pictures("row", range(1, 13))
        for name in ("Thumbs.db", ".DS_Store", "notes.txt", "._frame1.png"):
            (self.path("row") / name).write_bytes(b"no picture")
        outputs = []
        for ranks in (1, 2, 3):
            for source in ("row", "row/frame%d.png"):
                output, finished = self.restyle(self.path(source), ranks=ranks)
                self.assertEqual(self.shown_numbers(output), list(range(1, 13)))
                self.assertEqual(finished.warnings(), [])
                outputs.append(output.read_bytes())
        self.assertEqual(len(set(outputs)), 1)

    def test_missing_numbers_are_named_once(self):
        numbers = [1, 2, 3, 4, 8, 9, 10, 12]
        self.flat_pictures("row", numbers, name="f_{:04}.PNG")
        for source in ("row", "row/f_%04d.PNG"):
            output, finished = self.restyle(self.path(source))
            self.assertEqual(self.shown_numbers(output), numbers)
            self.assertEqual(len(finished.warnings()), 1, finished.err)
            said = "frames 5 to 7 and 11 are missing (4 in all)"
            self.assertIn(said, finished.warnings()[0])
            self.assertEqual(len(set(np.diff(support.frame_times_s(output, 0)))), 1)
            _, dry = self.restyle(self.path(source), "--dry-run")
            self.assertEqual(dry.out.count(said), 1, dry.out)
            self.assertIn(said, support.atelier("info", self.path(source)).out)

    def test_pictures_of_other_sizes_and_kinds(self):
        self.flat_pictures("row", (1, 2, 3, 4))
        Image.new("L", (32, 40), 20).save(self.path("row/frame2.png"))
        Image.new("L", (64, 48), 30).save(self.path("row/frame3.JPG"), quality=95)
        self.path("row/frame3.png").unlink()
        self.path("row/frame4.png").rename(self.path("row/frame4"))
        output, finished = self.restyle(self.path("row"))
        self.assertEqual(self.shown_numbers(output), [1, 2, 3, 4])
        self.assertEqual([("scaled" in line, "damaged" in line) for line in finished.warnings()][:1], [(True, False)])

    def test_names_are_part_of_what_a_start_goes_on_from(self):
        """A viewer's own file changes nothing; a picture that was renamed does."""
        self.flat_pictures("row", range(1, 25))
        options = ["--input", self.path("row"), "--output", self.path("out.mkv"), "--engine", "simulated",
                   "--simulated-ms", 150, "--codec", "ffv1", "--chunk-frames", 2]

        def interrupt():
            process = self.in_background([support.program(), "run", *options])
            end = time.monotonic() + 60
            while not list(self.path("out.mkv.atelier").glob("segments/*.seg")):
                self.assertIsNone(process.poll())
                self.assertLess(time.monotonic(), end, "took too long")
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        interrupt()
        (self.path("row") / "Thumbs.db").write_bytes(b"no picture")
        os.utime(self.path("row"), (1, 1))
        self.assertIn("goes on from an earlier start", self.run_done(*options).err)
        self.path("out.mkv").unlink()
        interrupt()
        (self.path("row") / "frame24.png").rename(self.path("row") / "frame0.png")
        self.assertIn("begins anew: pictures of the input changed", self.run_done(*options).err)


class Orientations(PicturesTest):
    def save_turned(self, upright, path, orientation):
        """As a camera stores it that was held otherwise."""
        undo = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
                6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}[orientation]
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        (upright if undo is None else upright.transpose(undo)).save(path, exif=exif, quality=98, subsampling=0)

    def picture(self):
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", 1, self.path("upright.png"))
        return Image.open(self.path("upright.png")).convert("RGB")

    def test_folder_of_all_orientations(self):
        """JPEG at quality 98 and twice RGB to YUV: 3 codes of 255 in the mean."""
        upright = self.picture()
        self.path("row").mkdir()
        for orientation in range(1, 9):
            self.save_turned(upright, self.path(f"row/{orientation}.jpg"), orientation)
        outputs = []
        for ranks, decode in ((1, "root"), (3, "root"), (3, "workers")):
            output, finished = self.restyle(self.path("row"), "--decode", decode, "--chunk-frames", 3, ranks=ranks)
            self.assertEqual([line for line in finished.warnings() if "--decode" not in line], [])
            outputs.append(output.read_bytes())
        self.assertEqual(len(set(outputs)), 1)
        self.assertEqual(support.styled_stream(output).get("side_data_list", []), [])
        frames = self.frames(output)
        self.assertEqual(len(frames), 8)
        for number, frame in enumerate(frames, 1):
            with self.subTest(orientation=number):
                self.assertLess(np.abs(frame - np.asarray(upright).astype(int)).mean(), 3)

    def test_single_picture_and_style(self):
        upright = self.picture()
        for ending in ("jpg", "png", "webp", "tif"):
            with self.subTest(ending):
                source = self.path(f"side.{ending}")
                self.save_turned(upright, source, 6)
                output, _ = self.restyle(source)
                frames = self.frames(output)
                self.assertEqual(frames.shape, (1, 48, 64, 3))
                # WebP at quality 98 halves chroma.
                self.assertLess(np.abs(frames[0] - np.asarray(upright).astype(int)).mean(), 12 if ending == "webp" else 3)

    def test_preview_of_a_turned_video(self):
        """The samples of the preview of the video that is not turned, exactly; FFmpeg tells which way, with a conversion to
        RGB of its own: 8 codes of 255 in the mean, where any other way is off by 30."""
        test_clip(self.path("a.mp4"), seconds=1, sound=False)

        def preview(source):
            output = source.with_suffix(".png")
            self.run_done("--input", source, "--output", output, "--engine", "identity", "--preview", 0.4)
            return np.asarray(Image.open(output)).astype(int)
        plain = preview(self.path("a.mp4"))
        for degrees in (90, 180, 270):
            with self.subTest(degrees):
                turned = support.turned(self.path("a.mp4"), self.path(f"{degrees}.mp4"), degrees)
                got = preview(turned)
                ffmpeg("-ss", 0.4, "-i", turned, "-frames:v", 1, self.path("want.png"))
                want = np.asarray(Image.open(self.path("want.png")).convert("RGB")).astype(int)
                self.assertEqual(got.shape, want.shape)
                self.assertLess(np.abs(got - want).mean(), 8)
                self.assertGreater(np.abs(got[::-1, ::-1] - want).mean(), 30)
                self.assertIn(True, [np.array_equal(got, np.rot90(plain, quarters)) for quarters in (1, 2, 3)])


class Content(PicturesTest):
    def jpeg(self, path):
        """A JPEG file with a header that is longer than what FFmpeg looks at first."""
        exif = Image.Exif()
        exif[0x9286] = "comment" * 2000
        Image.effect_mandelbrot((96, 64), (-2, -1.5, 1, 1.5), 50).convert("RGB").save(path, format="jpeg", exif=exif)

    def test_wrong_ending(self):
        self.flat_pictures("row", (1, 3))
        self.jpeg(self.path("row/frame2.png"))
        output, finished = self.restyle(self.path("row"))
        self.assertEqual(len(self.frames(output)), 3)
        self.assertFalse([line for line in finished.warnings() if "damage" in line], finished.err)
        clip = test_clip(self.path("clip.mkv"), seconds=0.2)
        self.run_done("--input", clip, "--output", self.path("styled.mkv"), "--style", self.path("row/frame2.png"))

    def test_heic_is_named(self):
        heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x10mdatnothing."
        self.path("photo.heic").write_bytes(heic)
        said = "is a HEIC picture, which FFmpeg "
        failed = support.atelier("run", "--input", self.path("photo.heic"), "--output", self.path("o.mkv"), "--engine", "identity")
        self.assert_one_error(failed, 2)
        self.assertIn(said, failed.err)
        clip = test_clip(self.path("clip.mkv"), seconds=0.2)
        failed = support.atelier("run", "--input", clip, "--output", self.path("o.mkv"), "--style", self.path("photo.heic"))
        self.assert_one_error(failed, 2)
        self.assertIn(said, failed.err)
        # Among frames it is missing and named; the others stay.
        self.flat_pictures("row", (1, 3))
        (self.path("row") / "frame2.heic").write_bytes(heic)
        output, finished = self.restyle(self.path("row"))
        self.assertEqual(self.shown_numbers(output), [1, 3])
        self.assertEqual(len([line for line in finished.warnings() if said in line]), 1, finished.err)


if __name__ == "__main__":
    unittest.main()
