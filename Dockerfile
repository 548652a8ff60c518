# provenfix as a command, light: no client of Google Cloud, GitHub or Slack.
#   docker build --build-arg PYTHON=3.11 --tag provenfix .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" provenfix check
# PYTHON is the version that compiles: build it for the Python that your service is deployed with.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY requirements-light.txt ./
RUN python -m venv /opt/provenfix \
    && /opt/provenfix/bin/pip install --no-cache-dir --require-hashes --requirement requirements-light.txt
COPY pyproject.toml README.md LICENSE ./
COPY functions functions
COPY shared shared
COPY terraform/access.yaml terraform/access.yaml
RUN /opt/provenfix/bin/pip install --no-cache-dir --no-deps .

FROM python:${PYTHON}-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --uid 10001 provenfix
COPY --from=build /opt/provenfix /opt/provenfix
USER 10001
WORKDIR /work
ENTRYPOINT ["/opt/provenfix/bin/provenfix"]
CMD ["--help"]
