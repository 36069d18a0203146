"""`python -m prefect`."""

from __future__ import annotations

import sys

from prefect.cli import main

sys.exit(main())
