"""moto's S3 on a port of this machine: s3_server.py PORT.

moto names the version "null" of objects in a bucket without versions, and then refuses it; S3 names none, nor does this.
"""
import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple


def without_null_versions(application):
    def call(environ, start_response):
        def start(status, headers, *more):
            kept = [(name, value) for name, value in headers if (name.lower(), value) != ("x-amz-version-id", "null")]
            return start_response(status, kept, *more)

        return application(environ, start)

    return call


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), without_null_versions(DomainDispatcherApplication(create_backend_app)),
               threaded=True)
