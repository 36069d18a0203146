"""`python -m prefect.engine` carries out the flow run that `PREFECT__FLOW_RUN_ID` names."""

import sys

from prefect.runner.execution import execute_process_run

if __name__ == "__main__":
    sys.exit(execute_process_run())
