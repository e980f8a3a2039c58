package httpapi

// SampleNames lets tests hold the samples against the document.
var SampleNames = sampleNames
