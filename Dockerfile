# The service in a container; `--target demo` builds the demonstration instead. See docker-compose.yml.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY locks/build.txt locks/
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r locks/build.txt
# `meaning` instead of `run`: the service with that extra (docs/operating.md).
ARG LOCK=run
COPY locks/run.txt locks/meaning.txt locks/
# What has no wheel (the lock says which) is built here, with what locks/build.txt pins.
RUN pip wheel --no-cache-dir --require-hashes --no-deps --only-binary :all: --no-build-isolation --use-pep517 \
    --wheel-dir /wheels -r "locks/$LOCK.txt"
COPY pyproject.toml hatch_build.py package.json package-lock.json README.md LICENSE ./
COPY templates templates
COPY sample sample
COPY digest digest
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.13-slim AS runtime
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /var/lib/digest --create-home digest
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps /wheels/*.whl
WORKDIR /var/lib/digest

FROM runtime AS demo
COPY locks/demo.txt /tmp/locks/
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r /tmp/locks/demo.txt
USER 10001
EXPOSE 8000
HEALTHCHECK NONE
CMD ["digest", "demo"]

FROM runtime AS service
COPY config.toml /etc/digest/
# What config.toml cannot know: where this container keeps its data, and that the desk is reached from outside it.
ENV DIGEST_CONFIG=/etc/digest/config.toml DIGEST_DATA=/var/lib/digest DIGEST_WEB__HOST=0.0.0.0
USER 10001
VOLUME /var/lib/digest
EXPOSE 8000
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s CMD ["digest", "health"]
CMD ["digest", "run"]
