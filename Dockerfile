# docker build -t tfmetamers . && docker run --rm -v "$PWD:/work" tfmetamers synth ...
FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends libsndfile1 && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps .
WORKDIR /work
ENTRYPOINT ["tfmetamers"]
