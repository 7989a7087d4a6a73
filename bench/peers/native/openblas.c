/* OpenBLAS, from the library named by the argument: the one inside numpy (prefix scipy_, 64-bit sizes) or a plain one. */
#include "peer.h"
#include <dlfcn.h>
#include <stdint.h>

enum { ROW_MAJOR = 101, AS_STORED = 111, TRANSPOSED = 112 };

typedef void (*Sgemm64)(int order, int transA, int transB, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                        int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
typedef void (*Sgemm32)(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda,
                        const float *b, int ldb, float beta, float *c, int ldc);

static Sgemm64 sgemm64;
static Sgemm32 sgemm32;

static void gemm(int transposeA, int transposeB, int m, int n, int k, const float *a, const float *b, float *c) {
  int transA = transposeA ? TRANSPOSED : AS_STORED, transB = transposeB ? TRANSPOSED : AS_STORED;
  int lda = transposeA ? m : k, ldb = transposeB ? k : n;
  if (sgemm64) sgemm64(ROW_MAJOR, transA, transB, m, n, k, 1, a, lda, b, ldb, 0, c, n);
  else sgemm32(ROW_MAJOR, transA, transB, m, n, k, 1, a, lda, b, ldb, 0, c, n);
}

int main(int argc, char **argv) {
  void *library = dlopen(argc > 1 ? argv[1] : "libopenblas.so.0", RTLD_NOW);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  sgemm64 = (Sgemm64)dlsym(library, "scipy_cblas_sgemm64_");
  sgemm32 = (Sgemm32)dlsym(library, "cblas_sgemm");
  const char *prefixed = sgemm64 ? "scipy_openblas_get_config64_" : "openblas_get_config";
  char *(*config)(void) = (char *(*)(void))dlsym(library, prefixed);
  if (!config || (!sgemm64 && !sgemm32)) {
    fprintf(stderr, "%s is no OpenBLAS\n", argv[1]);
    return 1;
  }
  return serve(gemm, config());
}
