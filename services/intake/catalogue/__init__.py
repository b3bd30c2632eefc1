"""Published code sets that ship as data files. Each is read once, when it is first asked for."""

import lzma
from functools import cache
from importlib.resources import files

ICD10CM_RELEASE = "2026-04"


@cache
def icd10cm() -> str:
    """The leaves of ICD-10-CM, April 2026 release, in the form that `intake.domain.icd10cm` reads; 0.3 MB of text.

    Made by `python -m intake.catalogue.make_icd10cm` from simple-icd-10-cm 1.5.0 (MIT), which takes them from the National Center for
    Health Statistics (CDC; a work of the United States government, in the public domain):
    https://www.cdc.gov/nchs/icd/icd-10-cm/files.html
    """
    packed = files(__name__).joinpath("icd10cm_2026_04.txt.xz").read_bytes()
    return lzma.decompress(packed).decode("ascii")
