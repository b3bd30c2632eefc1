# One image for every process of the network: the command says which one it is, `saguaro scheduling api` for example.

FROM python:3.13.18-slim-trixie AS tools
WORKDIR /opt/saguaro
COPY requirements/bootstrap.lock requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements/bootstrap.lock
# Hashes say what is installed; wheels alone, so that no build script runs. Compiled here: containers start read-only.
ENV UV_NO_CACHE=1 UV_NO_BUILD=1 UV_REQUIRE_HASHES=1 UV_COMPILE_BYTECODE=1

FROM tools AS contracts
COPY requirements/contracts.lock requirements/
RUN python -m venv --without-pip /opt/generator \
    && VIRTUAL_ENV=/opt/generator uv pip sync requirements/contracts.lock
COPY protos protos
RUN /opt/generator/bin/python protos/generate.py

FROM tools AS packages
COPY requirements/image.lock requirements/link.py requirements/
RUN python -m venv --without-pip .venv \
    && VIRTUAL_ENV=/opt/saguaro/.venv uv pip sync requirements/image.lock \
    && .venv/bin/python requirements/link.py
COPY --from=contracts /opt/saguaro/build/contracts build/contracts
COPY services services
RUN .venv/bin/python -m compileall -q services build/contracts

FROM python:3.13.18-slim-trixie
LABEL org.opencontainers.image.title="saguaro" \
      org.opencontainers.image.description="A network of ketamine-infusion clinics"
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin saguaro
COPY --from=packages /opt/saguaro /opt/saguaro
ENV PATH=/opt/saguaro/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/saguaro
USER 10001
ENTRYPOINT ["saguaro"]
CMD ["--help"]
