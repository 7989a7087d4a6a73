/* The peers' side of the protocol (../protocol.ts) for native matrix products. */
#ifndef PEER_H
#define PEER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* C = op(A)·op(B), all row-major as stored; C is m×n. */
typedef void (*Gemm)(int transposeA, int transposeB, int m, int n, int k, const float *a, const float *b, float *c);

typedef struct {
  Gemm gemm;
  int transposeA, transposeB, m, n, k;
  float *a, *b, *c;
} Product;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one of so many calls. */
static double timed(const Product *p, long calls) {
  double begin = now();
  for (long i = 0; i < calls; ++i) p->gemm(p->transposeA, p->transposeB, p->m, p->n, p->k, p->a, p->b, p->c);
  return (now() - begin) / (double)calls;
}

static double warmUp(const Product *p) {
  const double wanted = 0.2, slow = 0.5;
  double seconds = timed(p, 1);
  for (double spent = seconds > slow ? wanted : 0; spent < wanted;) {
    long calls = (long)(wanted / 8 / seconds) + 1;
    seconds = timed(p, calls);
    spent += seconds * (double)calls;
  }
  return seconds;
}

/* A file in the folder of the data. */
static FILE *openData(const char *name, const char *mode) {
  char path[4096];
  const char *folder = getenv("PEERS_DATA");
  snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
  return fopen(path, mode);
}

/* n floats on a cache line, from the file if there is one. */
static float *floats(size_t n, FILE *file) {
  float *values = (float *)aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
  if (!values || (file && fread(values, sizeof(float), n, file) != n)) exit(1);
  return values;
}

static void prepare(Product *p, const char *line, FILE *reply) {
  char left, right;
  if (sscanf(line, "prepare gemm%c%c %d,%d,%d", &left, &right, &p->m, &p->n, &p->k) != 5) {
    fprintf(reply, "skip offers matrix products only\n");
    return;
  }
  p->transposeA = left == 'T';
  p->transposeB = right == 'T';
  free(p->a);
  free(p->b);
  free(p->c);
  FILE *inputs = openData("inputs", "rb");
  if (!inputs) exit(1);
  p->a = floats((size_t)p->m * p->k, inputs);
  p->b = floats((size_t)p->k * p->n, inputs);
  fclose(inputs);
  size_t size = (size_t)p->m * p->n;
  p->c = floats(size, NULL);
  timed(p, 1);
  FILE *outputs = openData("outputs", "wb");
  if (!outputs || fwrite(p->c, sizeof(float), size, outputs) != size || fclose(outputs)) exit(1);
  fprintf(reply, "ready %.9g\n", warmUp(p));
}

/* Answers the driver until its input ends. */
static int serve(Gemm gemm, const char *version) {
  FILE *reply = fdopen(3, "w");
  Product product = {gemm, 0, 0, 0, 0, 0, NULL, NULL, NULL};
  char line[256];
  if (!reply) return 1;
  fprintf(reply, "hello {\"version\": \"%s\", \"engine\": \"gcc %s\"}\n", version, __VERSION__);
  fflush(reply);
  while (fgets(line, sizeof line, stdin)) {
    if (!strncmp(line, "prepare ", 8)) {
      prepare(&product, line, reply);
    } else if (!product.c) {
      fprintf(reply, "error there is nothing prepared.\n");
    } else {
      long calls = atol(line + strlen("run "));
      if (calls > 1) timed(&product, (calls + 4) / 5); /* the peers before have filled the caches with theirs */
      fprintf(reply, "seconds %.9g\n", timed(&product, calls));
    }
    fflush(reply);
  }
  return 0;
}

#endif
