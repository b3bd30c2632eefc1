"""Write the catalogue of ICD-10-CM leaves anew: `python -m intake.catalogue.make_icd10cm`. Not run by any process of the network:
the package that it reads parses the whole classification on import.
"""

import lzma
from collections.abc import Collection
from itertools import groupby
from pathlib import Path


def compact(leaves: Collection[str]) -> str:
    """One line a category: the category, then what stands after the dot of each of its leaves. Begins and ends with a line feed."""
    lines = []
    for category, members in groupby(sorted(leaves), key=lambda code: code[:3]):
        lines.append(" ".join([category, *(code[4:] for code in members if len(code) > 3)]))
    return "\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Read the package's release and write the file beside this module."""
    import simple_icd_10_cm as icd  # noqa: PLC0415

    # A few blocks of codes ("C00-C96") have no codes of their own in the package's tree: they are ranges, not codes.
    leaves = {code for code in icd.get_all_codes(with_dots=True) if icd.is_leaf(code) and "-" not in code}
    target = Path(__file__).with_name("icd10cm_2026_04.txt.xz")
    target.write_bytes(lzma.compress(compact(leaves).encode("ascii"), preset=9 | lzma.PRESET_EXTREME))
    print(f"{len(leaves)} leaf codes in {target.name}")


if __name__ == "__main__":
    main()
