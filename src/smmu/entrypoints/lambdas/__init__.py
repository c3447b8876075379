"""AWS Lambda: what decides. A few lines each; the one thing they share is `warm.py`.

| module | called by | handler |
|---|---|---|
| `dispatch` | the queue of jobs | starts runs |
| `perform` | the state machine | opens a task, does a light one, collects what a heavy one gave |
| `render` | the state machine, and the API | does a small task, or makes a picture, where a deployment has it |
| `relay` | the stream of the jobs table | takes committed messages to the queue |
| `sweep` | a schedule | puts right what is overdue, and removes orphans |
| `status` | events of the state machine | settles jobs whose run ended without a result |
"""
