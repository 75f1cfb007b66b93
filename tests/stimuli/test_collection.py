"""Files, folders and manifests name stimuli, each by an id that is good for a folder."""

from pathlib import Path

import pytest

from tfmetamers.errors import StimulusError
from tfmetamers.stimuli.collection import collect_stimuli

SUFFIXES = (".png", ".jpg")


def folder_with(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not looked into here")
    return folder


def manifest_with(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stimuli.csv"
    path.write_bytes(text.encode(encoding))
    return path


def ids(*inputs: Path) -> list[str]:
    return [stimulus.id for stimulus in collect_stimuli(inputs, SUFFIXES)]


def refusal(*inputs: Path) -> str:
    with pytest.raises(StimulusError) as refused:
        collect_stimuli(inputs, SUFFIXES)
    return str(refused.value)


class TestFiles:
    def test_a_file_goes_by_its_name_without_ending(self, tmp_path):
        folder = folder_with(tmp_path, "pocket.watch.jpg")
        (stimulus,) = collect_stimuli([folder / "pocket.watch.jpg"], SUFFIXES)
        assert (stimulus.id, stimulus.path) == ("pocket.watch", folder / "pocket.watch.jpg")
        assert (stimulus.label, stimulus.category, stimulus.columns) == (None, None, {})

    def test_a_missing_input_is_refused(self, tmp_path):
        assert str(tmp_path / "watch.png") in refusal(tmp_path / "watch.png")

    def test_two_files_of_one_name_are_refused(self, tmp_path):
        folder_with(tmp_path, "one/watch.png", "two/watch.png")
        message = refusal(tmp_path / "one" / "watch.png", tmp_path / "two" / "watch.png")
        assert "one/watch.png" in message and "two/watch.png" in message


class TestFolders:
    def test_stimuli_are_ordered_by_path(self, tmp_path):
        assert ids(folder_with(tmp_path, "c.png", "a.jpg", "b/z.png", "b/a.png")) == ["a", "b/a", "b/z", "c"]

    def test_the_uppermost_folder_is_the_category(self, tmp_path):
        folder_with(tmp_path, "loose.png", "dog/beagle/1.png", "dog/2.png", "cat/1.png")
        stimuli = collect_stimuli([tmp_path], SUFFIXES)
        assert {stimulus.id: stimulus.category for stimulus in stimuli} == {
            "loose": None,
            "dog/beagle/1": "dog",
            "dog/2": "dog",
            "cat/1": "cat",
        }

    def test_endings_may_be_in_capitals(self, tmp_path):
        assert ids(folder_with(tmp_path, "a.PNG", "b.Jpg")) == ["a", "b"]

    def test_other_files_hidden_ones_and_folders_named_like_pictures_are_passed_over(self, tmp_path):
        folder_with(tmp_path, "a.png", "notes.txt", "._a.png", ".checkpoints/b.png", "album.png/notes.txt")
        assert ids(tmp_path) == ["a"]

    def test_a_folder_without_stimuli_is_refused(self, tmp_path):
        message = refusal(folder_with(tmp_path, "notes.txt"))
        assert str(tmp_path) in message
        assert ".png, .jpg" in message

    def test_one_name_with_two_endings_is_refused(self, tmp_path):
        message = refusal(folder_with(tmp_path, "dog/1.png", "dog/1.jpg"))
        assert "dog/1.png" in message and "dog/1.jpg" in message

    def test_a_file_beside_a_folder_of_its_name_is_refused(self, tmp_path):
        assert "'dog' and 'dog/1'" in refusal(folder_with(tmp_path, "dog.png", "dog/1.png"))


class TestManifests:
    def test_columns_with_a_meaning_are_taken_and_further_ones_kept(self, tmp_path):
        text = "block,file,id,category,label,note\n2,pictures/a.png,first,dog,beagle,\n3,b.png,second,,,seen\n"
        first, second = collect_stimuli([manifest_with(tmp_path, text)], SUFFIXES)
        assert (first.id, first.path) == ("first", tmp_path / "pictures" / "a.png")
        assert (first.label, first.category) == ("beagle", "dog")
        assert first.columns == {"block": "2", "note": ""}
        assert (second.label, second.category) == (None, None)
        assert second.columns == {"block": "3", "note": "seen"}

    def test_stimuli_are_in_the_order_of_the_rows(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\nz,1.png\na,2.png\nm,3.png\n")) == ["z", "a", "m"]

    def test_a_byte_order_mark_is_not_part_of_the_first_column(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\na,1.png\n", encoding="utf-8-sig")) == ["a"]

    def test_quoted_cells_may_hold_commas_quotes_and_lines(self, tmp_path):
        text = 'id,file,label\na,"1, 2.png","say ""dog"", twice"\nb,3.png,"two\nlines"\n'
        first, second = collect_stimuli([manifest_with(tmp_path, text)], SUFFIXES)
        assert (first.path.name, first.label, second.label) == ("1, 2.png", 'say "dog", twice', "two\nlines")

    def test_other_line_ends_and_blank_lines_do_no_harm(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\r\na,1.png\r\n\r\nb,2.png\r\n")) == ["a", "b"]

    def test_letters_of_any_language_are_plain(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\nhört/Größe 1,1.png\n犬,2.png\n")) == ["hört/Größe 1", "犬"]

    @pytest.mark.parametrize("text", ["id,file\n", "name,file\na,1.png\n", "id,file,note,note\na,1.png,x,y\n"])
    def test_a_manifest_without_what_it_needs_is_refused(self, tmp_path, text):
        assert str(tmp_path / "stimuli.csv") in refusal(manifest_with(tmp_path, text))

    @pytest.mark.parametrize("row", ["b,2.png", ",2.png,dog"])
    def test_a_ragged_or_incomplete_row_is_refused_by_its_number(self, tmp_path, row):
        text = f"id,file,label\na,1.png,cat\n{row}\nc,3.png,cat\n"
        assert f"{tmp_path / 'stimuli.csv'}, row 3: " in refusal(manifest_with(tmp_path, text))

    @pytest.mark.parametrize("content", [b"id,file\na,gr\xfc.png\n", b'id,file\na,"1.png\nb,2.png\n'])
    def test_a_file_that_is_not_csv_in_utf_8_is_refused(self, tmp_path, content):
        path = tmp_path / "stimuli.csv"
        path.write_bytes(content)
        assert str(path) in refusal(path)

    @pytest.mark.parametrize("bad", ["../a", "/a", "a//b", "a\\b", " a", "a\0b"])
    def test_an_id_that_is_not_a_plain_path_is_refused(self, tmp_path, bad):
        assert "2.png" in refusal(manifest_with(tmp_path, f"id,file\nfine,1.png\n{bad},2.png\n"))

    def test_an_id_given_twice_is_refused(self, tmp_path):
        assert "'a'" in refusal(manifest_with(tmp_path, "id,file\na,1.png\na,2.png\n"))

    @pytest.mark.parametrize(("first", "second"), [("a/b", "a")])
    def test_ids_that_overlap_are_refused(self, tmp_path, first, second):
        outer, inner = sorted([first, second])
        message = refusal(manifest_with(tmp_path, f"id,file\n{first},1.png\n{second},2.png\n"))
        assert f"'{outer}' and '{inner}'" in message

    def test_ids_that_only_begin_alike_do_not_overlap(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\na,1.png\nab/c,2.png\nab/cd,3.png\n")) == ["a", "ab/c", "ab/cd"]


class TestMixtures:
    def test_inputs_keep_their_order(self, tmp_path):
        folder = folder_with(tmp_path / "folder", "b.png", "a.png")
        manifest = manifest_with(tmp_path / "lists", "id,file\nz,1.png\ny,2.png\n")
        single = folder_with(tmp_path, "m.png") / "m.png"
        assert ids(manifest, single, folder) == ["z", "y", "m", "a", "b"]
        assert ids(folder, manifest, single) == ["a", "b", "z", "y", "m"]

    def test_ids_must_differ_across_inputs(self, tmp_path):
        folder = folder_with(tmp_path / "folder", "a.png")
        manifest = manifest_with(tmp_path / "lists", "id,file\na,1.png\n")
        assert "'a'" in refusal(folder, manifest)

    def test_a_manifest_is_known_by_its_ending_in_capitals_too(self, tmp_path):
        path = manifest_with(tmp_path, "id,file\na,1.png\n").rename(tmp_path / "STIMULI.CSV")
        assert ids(path) == ["a"]
