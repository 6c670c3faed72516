"""Jobs for RQ and an application that queues them. Prints a line for each part that went well."""
import os
import subprocess
import sys
from datetime import timedelta


def add(a, b):
    return a + b


def fail(text):
    raise ValueError(text)


def work(port):
    """One burst of a worker as operators start it: it ends when nothing is left to do. Returns what it complained of."""
    command = [sys.executable, "-m", "rq.cli", "worker", "--burst", "--quiet", "--with-scheduler"]
    command += ["--url", f"redis://127.0.0.1:{port}", "--path", os.path.dirname(os.path.abspath(__file__))]
    worker = subprocess.run(command, timeout=30, stderr=subprocess.PIPE, text=True)
    assert worker.returncode == 0, worker.stderr
    return worker.stderr


def main(port):
    import redis
    import rq

    connection = redis.Redis(port=port)
    queue = rq.Queue(connection=connection)
    first = queue.enqueue("rq_jobs.add", 1, 2)
    second = queue.enqueue("rq_jobs.add", 3, 4, depends_on=first)
    failing = queue.enqueue("rq_jobs.fail", "no luck", retry=rq.Retry(max=1))
    later = queue.enqueue_in(timedelta(seconds=0), "rq_jobs.add", 5, 6)
    never = queue.enqueue_in(timedelta(hours=1), "rq_jobs.add", 7, 8)
    assert queue.job_ids == [first.id, failing.id] and queue.deferred_job_registry.get_job_ids() == [second.id]
    assert set(queue.scheduled_job_registry.get_job_ids()) == {later.id, never.id}
    print("queued", flush=True)

    print("kill the server", flush=True)
    sys.stdin.readline()
    complaints = work(port)
    for job, result in ((first, 3), (second, 7)):
        assert job.get_status(refresh=True) == "finished" and job.return_value() == result, job
        assert job.latest_result().type.name == "SUCCESSFUL" and 0 < connection.ttl(job.key) <= 500
    print("worked", flush=True)

    assert complaints.count("ValueError: no luck") == 2, complaints
    failing.refresh()
    assert failing.is_failed and failing.retries_left == 0, failing.to_dict()
    assert queue.failed_job_registry.get_job_ids() == [failing.id] and "no luck" in failing.latest_result().exc_string
    failing.requeue()
    assert queue.job_ids == [failing.id] and len(queue.failed_job_registry) == 0
    print("failed and tried again", flush=True)

    assert never.get_status(refresh=True) == "scheduled" and later.get_status(refresh=True) == "finished"
    never.cancel()
    assert len(queue.scheduled_job_registry) == 0 and later.return_value() == 11
    print("scheduled", flush=True)

    assert work(port).count("ValueError: no luck") == 1
    assert set(queue.finished_job_registry.get_job_ids()) == {first.id, second.id, later.id}
    assert queue.failed_job_registry.get_job_ids() == [failing.id] and queue.is_empty()
    assert rq.Worker.all(connection=connection) == [] and rq.Queue.all(connection=connection) == [queue]
    print("finished", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
