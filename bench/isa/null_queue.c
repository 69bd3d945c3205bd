// A Vulkan driver that is another one, whose commands and queues do nothing: it makes a device that only compiles, such as RADV's without hardware, look
// complete to Dawn. The loader asks for every function by name, so that there are no headers to include: what is a command gets a function that
// returns VK_SUCCESS, the rest comes from the driver that ISA_DRIVER names. A device without hardware reports no memory either: here it has one kind.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*Lookup)(void *, const char *);

static const char *const idle[] = {
  "vkBeginCommandBuffer", "vkEndCommandBuffer", "vkResetCommandBuffer", "vkResetCommandPool", "vkQueueSubmit", "vkQueueSubmit2",
  "vkQueueSubmit2KHR", "vkQueueWaitIdle", "vkDeviceWaitIdle", "vkWaitForFences", "vkGetFenceStatus", "vkResetFences", NULL,
};

static int nothing(void) { return 0; }

static int isIdle(const char *name) {
  if (strncmp(name, "vkCmd", 5) == 0) return 1;
  for (const char *const *i = idle; *i; i++) if (strcmp(name, *i) == 0) return 1;
  return 0;
}

static void *driver(const char *symbol) {
  static void *library;
  const char *path = getenv("ISA_DRIVER");
  if (!library && path) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void *found = library ? dlsym(library, symbol) : NULL;
  if (!found) fprintf(stderr, "null_queue: no %s in %s\n", symbol, path ? path : "ISA_DRIVER, which is not set");
  return found;
}

// Vulkan's structs, as far as they are written here.
typedef struct { uint64_t size, alignment; uint32_t types; } Requirements;
typedef struct { uint32_t type; void *next; Requirements body; } Requirements2;
typedef struct {
  uint32_t typeCount;
  struct { uint32_t flags, heap; } types[32];
  uint32_t heapCount;
  struct { uint64_t size; uint32_t flags; } heaps[16];
} Memory;
typedef struct { uint32_t type; void *next; Memory body; } Memory2;

static void memory(void *device, Memory *m) {
  (void)device;
  memset(m, 0, sizeof *m);
  m->typeCount = m->heapCount = 1;
  m->types[0].flags = 1 | 2 | 4; // device local, host visible, host coherent
  m->heaps[0].size = (uint64_t)64 << 30;
  m->heaps[0].flags = 1;
}

static void memory2(void *device, Memory2 *m) { memory(device, &m->body); }

static Lookup ofInstance, ofDevice;

static void requirements(void *device, uint64_t thing, Requirements *r) {
  ((void (*)(void *, uint64_t, Requirements *))ofDevice(device, "vkGetBufferMemoryRequirements"))(device, thing, r);
  r->types = 1;
}

static void requirements2(void *device, const void *info, Requirements2 *r) {
  ((void (*)(void *, const void *, Requirements2 *))ofDevice(device, "vkGetBufferMemoryRequirements2"))(device, info, r);
  r->body.types = 1;
}

static Function own(const char *name) {
  if (isIdle(name)) return (Function)nothing;
  if (strncmp(name, "vkGetPhysicalDeviceMemoryProperties", 35) == 0) return name[35] == '2' ? (Function)memory2 : (Function)memory;
  if (strncmp(name, "vkGetBufferMemoryRequirements", 29) == 0) return name[29] == '2' ? (Function)requirements2 : (Function)requirements;
  return NULL;
}

static Function deviceFunction(void *device, const char *name) {
  Function mine = own(name);
  return mine ? mine : ofDevice(device, name);
}

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  if (!ofInstance) ofInstance = (Lookup)driver("vk_icdGetInstanceProcAddr");
  if (!ofInstance) return NULL;
  Function mine = own(name);
  if (mine) return mine;
  Function found = ofInstance(instance, name);
  if (found && strcmp(name, "vkGetDeviceProcAddr") == 0) {
    ofDevice = (Lookup)found;
    return (Function)deviceFunction;
  }
  return found;
}

Function vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) {
  Function mine = own(name);
  Lookup of = (Lookup)driver("vk_icdGetPhysicalDeviceProcAddr");
  return mine || !of ? mine : of(instance, name);
}

int vk_icdNegotiateLoaderICDInterfaceVersion(unsigned *version) {
  int (*negotiate)(unsigned *) = driver("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate ? negotiate(version) : -9;
}
