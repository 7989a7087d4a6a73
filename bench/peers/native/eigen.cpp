/* Eigen's matrix product on plain arrays. */
#include "peer.h"
#include <Eigen/Core>

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using In = Eigen::Map<const Matrix>;

static void gemm(int transposeA, int transposeB, int m, int n, int k, const float *a, const float *b, float *c) {
  Eigen::Map<Matrix> C(c, m, n);
  if (transposeA) C.noalias() = In(a, k, m).transpose() * In(b, k, n);
  else if (transposeB) C.noalias() = In(a, m, k) * In(b, n, k).transpose();
  else C.noalias() = In(a, m, k) * In(b, k, n);
}

#define TEXT(value) #value
#define VALUE(macro) TEXT(macro)

int main() {
  return serve(gemm, "Eigen " VALUE(EIGEN_WORLD_VERSION) "." VALUE(EIGEN_MAJOR_VERSION) "." VALUE(EIGEN_MINOR_VERSION));
}
