"""The independent check of every result: recomputed from the instance and the result tables alone.

It shares no code with the builder of the model; it is written from models/README.md. Nothing is shown that it has
not accepted.
"""

from nbb_opt.verify.plan import verify_plan
from nbb_opt.verify.run import verify_run
from nbb_opt.verify.verdict import FLOORS, Verdict

__all__ = ["FLOORS", "Verdict", "verify_plan", "verify_run"]
