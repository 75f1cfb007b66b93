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
    """The message, which is one line."""
    with pytest.raises(StimulusError) as refused:
        collect_stimuli(inputs, SUFFIXES)
    message = str(refused.value)
    assert "\n" not in message
    return message


class TestFiles:
    def test_a_file_goes_by_its_name_without_ending(self, tmp_path):
        folder = folder_with(tmp_path, "pocket.watch.jpg")
        (stimulus,) = collect_stimuli([folder / "pocket.watch.jpg"], SUFFIXES)
        assert (stimulus.id, stimulus.path) == ("pocket.watch", folder / "pocket.watch.jpg")
        assert (stimulus.label, stimulus.category, stimulus.columns) == (None, None, {})

    def test_a_file_may_have_any_ending_and_be_given_as_text(self, tmp_path):
        folder_with(tmp_path, "watch.tif")
        (stimulus,) = collect_stimuli([str(tmp_path / "watch.tif")], SUFFIXES)
        assert stimulus.id == "watch"

    def test_a_missing_input_is_refused(self, tmp_path):
        assert str(tmp_path / "watch.png") in refusal(tmp_path / "watch.png")

    def test_two_files_of_one_name_are_refused(self, tmp_path):
        folder_with(tmp_path, "one/watch.png", "two/watch.png")
        message = refusal(tmp_path / "one" / "watch.png", tmp_path / "two" / "watch.png")
        assert "one/watch.png" in message
        assert "two/watch.png" in message
        assert "both have the id 'watch'" in message


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

    def test_paths_lead_to_the_files(self, tmp_path):
        folder_with(tmp_path, "dog/1.png")
        assert collect_stimuli([tmp_path], SUFFIXES)[0].path == tmp_path / "dog" / "1.png"

    def test_endings_may_be_in_capitals(self, tmp_path):
        assert ids(folder_with(tmp_path, "a.PNG", "b.Jpg")) == ["a", "b"]

    def test_other_files_hidden_ones_and_folders_named_like_pictures_are_passed_over(self, tmp_path):
        folder_with(tmp_path, "a.png", "notes.txt", "._a.png", ".checkpoints/b.png", "album.png/notes.txt")
        assert ids(tmp_path) == ["a"]

    def test_a_hidden_folder_may_be_given_itself(self, tmp_path):
        assert ids(folder_with(tmp_path / ".stimuli", "a.png")) == ["a"]

    def test_a_folder_without_stimuli_is_refused(self, tmp_path):
        message = refusal(folder_with(tmp_path, "notes.txt"))
        assert str(tmp_path) in message
        assert ".png, .jpg" in message

    def test_one_name_with_two_endings_is_refused(self, tmp_path):
        message = refusal(folder_with(tmp_path, "dog/1.png", "dog/1.jpg"))
        assert "dog/1.png" in message
        assert "dog/1.jpg" in message

    def test_a_file_beside_a_folder_of_its_name_is_refused(self, tmp_path):
        assert "'dog' and 'dog/1' overlap" in refusal(folder_with(tmp_path, "dog.png", "dog/1.png"))


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

    def test_two_ids_may_name_one_file(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\na,1.png\nb,1.png\n")) == ["a", "b"]

    def test_a_file_may_have_an_absolute_path(self, tmp_path):
        (stimulus,) = collect_stimuli([manifest_with(tmp_path, "id,file\na,/data/a.png\n")], SUFFIXES)
        assert stimulus.path == Path("/data/a.png")

    def test_a_byte_order_mark_is_no_part_of_the_first_column(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\na,1.png\n", encoding="utf-8-sig")) == ["a"]

    def test_quoted_cells_may_hold_commas_quotes_and_lines(self, tmp_path):
        text = 'id,file,label\na,"1, 2.png","say ""dog"", twice"\nb,3.png,"two\nlines"\n'
        first, second = collect_stimuli([manifest_with(tmp_path, text)], SUFFIXES)
        assert (first.path.name, first.label, second.label) == ("1, 2.png", 'say "dog", twice', "two\nlines")

    @pytest.mark.parametrize("newline", ["\r\n", "\n\n"])
    def test_other_line_ends_and_blank_lines_do_no_harm(self, tmp_path, newline):
        assert ids(manifest_with(tmp_path, newline.join(["id,file", "a,1.png", "b,2.png", ""]))) == ["a", "b"]

    def test_a_column_without_a_name_is_kept(self, tmp_path):
        (stimulus,) = collect_stimuli([manifest_with(tmp_path, ",id,file\n0,a,1.png\n")], SUFFIXES)
        assert (stimulus.id, stimulus.columns) == ("a", {"": "0"})

    def test_letters_of_any_language_are_plain(self, tmp_path):
        assert ids(manifest_with(tmp_path, "id,file\nhört/Größe 1,1.png\n犬,2.png\n")) == ["hört/Größe 1", "犬"]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param("id,file\n", id="header alone"),
            pytest.param("name,file\na,1.png\n", id="no id"),
            pytest.param("id,path\na,1.png\n", id="no file"),
            pytest.param("id;file\na;1.png\n", id="semicolons"),
            pytest.param("id,file,note,note\na,1.png,x,y\n", id="a column twice"),
        ],
    )
    def test_a_manifest_without_what_it_needs_is_refused(self, tmp_path, text):
        assert f"{tmp_path / 'stimuli.csv'} is no manifest" in refusal(manifest_with(tmp_path, text))

    @pytest.mark.parametrize("row", ["b,2.png", "b,2.png,dog,more", ",2.png,dog", "b,,dog"])
    def test_a_ragged_or_incomplete_row_is_refused_by_its_number(self, tmp_path, row):
        text = f"id,file,label\na,1.png,cat\n{row}\nc,3.png,cat\n"
        assert f"{tmp_path / 'stimuli.csv'}, row 3: " in refusal(manifest_with(tmp_path, text))

    @pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\xff\xfe", b"id,file\na,gr\xfc.png\n"])
    def test_a_file_that_is_not_utf_8_is_refused(self, tmp_path, content):
        path = tmp_path / "stimuli.csv"
        path.write_bytes(content)
        assert f"{path} is not a CSV file in UTF-8" in refusal(path)

    def test_a_binary_file_of_zeros_is_refused(self, tmp_path):
        path = tmp_path / "stimuli.csv"
        path.write_bytes(bytes(1000))
        assert str(path) in refusal(path)

    def test_a_quote_that_is_never_closed_is_refused(self, tmp_path):
        assert "is not a CSV file" in refusal(manifest_with(tmp_path, 'id,file\na,"1.png\nb,2.png\n'))

    @pytest.mark.parametrize(
        "bad", ["..", "../a", "a/../b", ".", "./a", "/a", "a/", "a//b", "a\\b", "C:\\a", " a", "a /b", '"a\nb"', "a\0b"]
    )
    def test_an_id_that_is_no_plain_path_is_refused(self, tmp_path, bad):
        assert refusal(manifest_with(tmp_path, f"id,file\nfine,1.png\n{bad},2.png\n"))

    def test_the_refusal_of_an_id_shows_it(self, tmp_path):
        message = refusal(manifest_with(tmp_path, "id,file\n../a,2.png\n"))
        assert "2.png has the id '../a'" in message

    def test_an_id_given_twice_is_refused(self, tmp_path):
        assert "both have the id 'a'" in refusal(manifest_with(tmp_path, "id,file\na,1.png\na,2.png\n"))

    @pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c"), ("x/a", "x/a/b")])
    def test_ids_that_overlap_are_refused(self, tmp_path, first, second):
        outer, inner = sorted([first, second])
        message = refusal(manifest_with(tmp_path, f"id,file\n{first},1.png\n{second},2.png\n"))
        assert f"'{outer}' and '{inner}' overlap" in message

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
        assert "both have the id 'a'" in refusal(folder, manifest)

    def test_ids_must_not_overlap_across_inputs(self, tmp_path):
        folder = folder_with(tmp_path / "folder", "dog/1.png")
        manifest = manifest_with(tmp_path / "lists", "id,file\ndog,1.png\n")
        assert "overlap" in refusal(folder, manifest)

    def test_a_manifest_is_known_by_its_ending_in_capitals_too(self, tmp_path):
        path = manifest_with(tmp_path, "id,file\na,1.png\n").rename(tmp_path / "STIMULI.CSV")
        assert ids(path) == ["a"]
