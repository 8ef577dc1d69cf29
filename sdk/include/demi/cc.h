/*
 * What the headers of demi/ ask of a compiler. Nothing here is needed to use them.
 */
#ifndef DEMI_CC_H
#define DEMI_CC_H

#if defined(__GNUC__)
#define DEMI_API       __attribute__((visibility("default")))
#define DEMI_PACKED    __attribute__((packed))
#define ATTR_NODISCARD __attribute__((warn_unused_result))
#else
#define DEMI_API
#define DEMI_PACKED
#define ATTR_NODISCARD
#endif

/*
 * The arguments (counted from 1) that must not be NULL. A NULL that the compiler cannot see is
 * answered with EINVAL all the same. Clowder's own files are compiled with DEMI_IMPLEMENTATION: a
 * definition that carries the attribute loses its checks for NULL to the optimiser.
 */
#if defined(__GNUC__) && !defined(DEMI_IMPLEMENTATION)
#define ATTR_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#else
#define ATTR_NONNULL(...)
#endif

/* The size of a type is part of the binary interface. */
#if defined(__cplusplus)
#define DEMI_SIZE_IS(type, size) static_assert(sizeof(type) == (size), #type)
#elif defined(__GNUC__)
#define DEMI_SIZE_IS(type, size) __extension__ _Static_assert(sizeof(type) == (size), #type)
#else
#define DEMI_SIZE_IS(type, size) _Static_assert(sizeof(type) == (size), #type)
#endif

#endif
