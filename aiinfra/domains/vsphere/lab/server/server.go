// The HTTPS server of the API.

package main

import (
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"strings"
	"time"
)

// serveAPI answers SOAP calls and uploads over TLS until the listener closes.
func (w *world) serveAPI(listener net.Listener, who *identity) error {
	w.service.RegisterSDK(w.registry, w.registry.Path+"/vimService")
	mux := w.service.ServeMux
	mux.HandleFunc(w.registry.Path+"/vimServiceVersions.xml", w.service.ServiceVersions)
	mux.HandleFunc(uploadPath, w.upload)
	w.rest.install(mux)
	w.address = listener.Addr().String()
	server := &http.Server{
		Handler:           guardHTTP(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) { w.through(mux, out, in) })),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{who.certificate}},
		ErrorLog:          log.Default(),
		ReadHeaderTimeout: time.Minute,
	}
	return server.ServeTLS(listener, "", "")
}

// through counts how many calls are under way at one time.
func (w *world) through(mux http.Handler, out http.ResponseWriter, in *http.Request) {
	if strings.HasPrefix(in.URL.Path, w.registry.Path) && in.Method == http.MethodPost {
		w.calls.enter()
		defer w.calls.leave()
	}
	mux.ServeHTTP(out, in)
}
