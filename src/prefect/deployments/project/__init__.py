"""Projects: folders whose `prefect.yaml` says what is deployed from them.

`file.py` reads it, `selecting.py` chooses among its deployments, `looking.py` finds out about their flows in
processes of their own, `wanted.py` makes of both what is to be deployed, `planning.py` and `problems.py` say
what is wrong with that, `changes.py` compares it with what is there, and `deploying.py` does it.
"""
